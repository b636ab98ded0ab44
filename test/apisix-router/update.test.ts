import { once } from 'node:events';
import { ConfigError } from 'ai-proxy-multi';
import { describe, expect, it } from 'vitest';
import type { ConsumerConfig } from '../../lib/config/generated/consumer.ts';
import { instance } from '../support/app.ts';
import { startHolding } from '../support/holding-upstream.ts';
import { describeWithRedis, type RedisServer, startRedis } from '../support/redis.ts';
import { echoModel, startUpstream } from '../support/upstream.ts';
import { asRouterConfig, type MakeRoute, routeTo, startRouting, startVault } from './routing.ts';

const tenTokens = { limit: 10, time_window: 60, rejected_code: 429 };

function consumer(username: string, key = `key-${username}`, limit?: number): ConsumerConfig {
  return {
    username,
    plugins: {
      'key-auth': { key },
      ...(limit === undefined ? {} : { 'ai-rate-limiting': { ...tenTokens, limit } }),
    },
  };
}

const as = (username: string) => ({ headers: { apikey: `key-${username}` } });

describe('update()', () => {
  it('replaces the routes at once', async () => {
    const { router, route, who } = await startRouting((make) => ({ routes: [make('old')] }));
    expect([await who('/chat'), await who('/other')]).toEqual(['old', '404']);
    router.update({ routes: [route('new', { uri: '/other' })] });
    expect([await who('/chat'), await who('/other')]).toEqual(['404', 'new']);
  });

  it('lets requests under way finish by the old ones, their fallbacks included', async () => {
    const holding = await startHolding();
    const { router, route, ask, llm } = await startRouting((make, { url }) => ({
      routes: [
        make(
          'old',
          {},
          {
            'ai-proxy-multi': {
              fallback_strategy: 'http_5xx',
              instances: [instance('held', holding.url, { priority: 1 }), instance('spare', url)],
            },
          },
        ),
      ],
    }));
    const answer = ask('/chat');
    await holding.holding(1);
    router.update({ routes: [route('new')] });
    expect((await ask('/chat')).who).toBe('new');
    for (const socket of holding.sockets) socket.resetAndDestroy();
    expect((await answer).who).toBe('spare');
    expect(llm.calls.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer key-new',
      'Bearer key-spare',
    ]);
  });

  it("closes the old routes' idle connections", async () => {
    const before = await startUpstream(echoModel());
    const { router, route, who } = await startRouting(() => ({ routes: [routeTo(before.url, 'old')] }));
    await who('/chat');
    const [socket] = before.sockets;
    expect(before.sockets.size).toBe(1);
    const closed = socket && once(socket, 'close');
    router.update({ routes: [route('new')] });
    await closed;
  });

  it.each<[string, unknown]>([
    ['routes', { routes: [{ uri: '/chat', plugins: {} }] }],
    ['consumers', { routes: [], consumers: [consumer('a', 'same'), consumer('b', 'same')] }],
    ['upstreams', { routes: [], upstreams: [{ id: 'a', nodes: {} }] }],
    [
      'an anonymous consumer who has gone',
      {
        routes: [
          {
            uri: '/chat',
            plugins: {
              'key-auth': { anonymous_consumer: 'jane' },
              'ai-proxy': { provider: 'openai', auth: {} },
            },
          },
        ],
      },
    ],
  ])('with %s that cannot work throws, and changes nothing', async (_what, replacement) => {
    const { router, who, llm } = await startRouting((make) => ({
      routes: [make('old', {}, { 'key-auth': {} })],
      consumers: [consumer('jane', undefined, 40)],
    }));
    expect(await who('/chat', as('jane'))).toBe('old');
    const before = router.status();
    expect(() => router.update(asRouterConfig(replacement))).toThrow(ConfigError);
    expect(router.status()).toEqual(before);
    expect([await who('/chat', as('jane')), await who('/chat', as('jane'))]).toEqual(['old', '429']);
    expect(llm.connections).toBe(1);
  });

  it('does not keep what its caller changes afterwards', async () => {
    const { router, route, who } = await startRouting((make) => ({ routes: [make('old')] }));
    const replacement = { routes: [route('new')] };
    router.update(replacement);
    replacement.routes.length = 0;
    expect(await who('/chat')).toBe('new');
  });
});

describe('consumers, after update()', () => {
  it('are turned away at once when they have been taken out', async () => {
    const { router, route, who } = await startRouting((make) => ({
      routes: [make('a', {}, { 'key-auth': {} })],
      consumers: [consumer('jane'), consumer('john')],
    }));
    expect([await who('/chat', as('jane')), await who('/chat', as('john'))]).toEqual(['a', 'a']);
    router.update({ routes: [route('a', {}, { 'key-auth': {} })], consumers: [consumer('jane')] });
    expect([await who('/chat', as('jane')), await who('/chat', as('john'))]).toEqual(['a', '401']);
  });

  it('have their new keys, and no old ones', async () => {
    const config = (key: string) => (make: MakeRoute) => ({
      routes: [make('a', {}, { 'key-auth': {} })],
      consumers: [consumer('jane', key)],
    });
    const { router, route, who } = await startRouting(config('key-old'));
    router.update(config('key-new')(route));
    expect([await who('/chat', as('old')), await who('/chat', as('new'))]).toEqual(['401', 'a']);
  });

  it('go on by the old routes when their key is looked up meanwhile', async () => {
    const vault = startVault();
    const { router, route, who, ask, server } = await startRouting(
      (make) => ({
        routes: [make('old', {}, { 'key-auth': {} })],
        consumers: [consumer('jane', '$secret://vault/jane')],
      }),
      { host: vault.host },
    );
    const answer = ask('/chat', as('jane'));
    await once(server, 'request');
    router.update({ routes: [route('new')] });
    expect(await who('/chat')).toBe('new');
    vault.tell('key-jane');
    expect((await answer).who).toBe('old');
  });
});

describe('counters, after update()', () => {
  it('of limits that have not changed go on: those of a route', async () => {
    const { router, route, who } = await startRouting((make) => ({
      routes: [make('a', {}, { 'ai-rate-limiting': tenTokens })],
    }));
    expect([await who('/chat'), await who('/chat')]).toEqual(['a', '429']);
    router.update({
      routes: [
        route('first', { uri: '/first' }),
        route('a', { uri: '/*' }, { 'ai-rate-limiting': tenTokens }),
      ],
    });
    expect([await who('/first'), await who('/chat')]).toEqual(['first', '429']);
  });

  it('of limits that have not changed go on: those of a consumer', async () => {
    const guarded = { 'key-auth': {} };
    const { router, route, who } = await startRouting((make) => ({
      routes: [make('a', {}, guarded)],
      consumers: [consumer('jane', undefined, 10)],
    }));
    expect([await who('/chat', as('jane')), await who('/chat', as('jane'))]).toEqual(['a', '429']);
    router.update({
      routes: [route('a', { uri: '/moved' }, guarded)],
      consumers: [consumer('john', undefined, 10), consumer('jane', 'key-new', 10)],
    });
    expect([await who('/moved', as('new')), await who('/moved', as('john'))]).toEqual(['429', 'a']);
  });

  it('of limits that have changed start again: those of a route', async () => {
    const { router, route, who } = await startRouting((make) => ({
      routes: [make('a', {}, { 'ai-rate-limiting': tenTokens })],
    }));
    expect([await who('/chat'), await who('/chat')]).toEqual(['a', '429']);
    router.update({ routes: [route('a', {}, { 'ai-rate-limiting': { ...tenTokens, limit: 11 } })] });
    expect([await who('/chat'), await who('/chat')]).toEqual(['a', '429']);
  });

  it('of limits that have changed start again: those of a consumer', async () => {
    const config = (limit: number) => (make: MakeRoute) => ({
      routes: [make('a', {}, { 'key-auth': {} })],
      consumers: [consumer('jane', undefined, limit)],
    });
    const { router, route, who } = await startRouting(config(10));
    expect([await who('/chat', as('jane')), await who('/chat', as('jane'))]).toEqual(['a', '429']);
    router.update(config(11)(route));
    expect([await who('/chat', as('jane')), await who('/chat', as('jane'))]).toEqual(['a', '429']);
  });

  it('of a route that is called something else start again', async () => {
    const limits = { 'ai-rate-limiting': tenTokens };
    const { router, who, llm } = await startRouting((make) => ({ routes: [make('a', {}, limits)] }));
    expect([await who('/chat'), await who('/chat')]).toEqual(['a', '429']);
    const renamed = { ...routeTo(llm.url, 'a', {}, limits), id: 'b' };
    router.update({ routes: [renamed] });
    expect([await who('/chat'), await who('/chat')]).toEqual(['a', '429']);
  });

  it('have what requests used up that were under way', async () => {
    const holding = await startHolding();
    const config = () => ({
      routes: [routeTo(holding.url, 'held', {}, { 'ai-rate-limiting': tenTokens })],
    });
    const { router, ask, who } = await startRouting(config);
    const answer = ask('/chat');
    await holding.holding(1);
    router.update(config());
    holding.release();
    expect((await answer).who).toBe('held');
    expect(await who('/chat')).toBe('429');
  });
});

describeWithRedis('update() of limits in Redis', () => {
  const limitsIn = ({ host, port }: RedisServer) => ({
    ...tenTokens,
    policy: 'redis' as const,
    redis_host: host,
    redis_port: port,
  });

  it('goes on with the same counters', async () => {
    const limits = { 'ai-rate-limiting': limitsIn(await startRedis()) };
    const { router, route, who } = await startRouting((make) => ({ routes: [make('a', {}, limits)] }));
    expect([await who('/chat'), await who('/chat')]).toEqual(['a', '429']);
    router.update({ routes: [route('a', {}, limits)] });
    expect(await who('/chat')).toBe('429');
  });

  it('leaves the connection to requests whose key is still being looked up', async () => {
    const plugins = { 'key-auth': {}, 'ai-rate-limiting': limitsIn(await startRedis()) };
    const vault = startVault();
    const { router, route, ask, server } = await startRouting(
      (make) => ({
        routes: [make('old', {}, plugins)],
        consumers: [consumer('jane', '$secret://vault/jane')],
      }),
      { host: vault.host },
    );
    const answer = ask('/chat', as('jane'));
    await once(server, 'request');
    router.update({ routes: [route('new')] });
    vault.tell('key-jane');
    expect((await answer).who).toBe('old');
  });
});
