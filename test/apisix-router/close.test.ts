import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { ConsumerConfig } from '../../lib/config/generated/consumer.ts';
import { serve } from '../support/app.ts';
import { startHolding } from '../support/holding-upstream.ts';
import { connectRaw, rawPost } from '../support/raw.ts';
import { describeWithRedis, startRedis } from '../support/redis.ts';
import { openRouter, routeTo, send, startRouting, startVault } from './routing.ts';

const jane: ConsumerConfig = {
  username: 'jane',
  plugins: { 'key-auth': { key: '$secret://vault/jane' } },
};

/** Notes what happens in its order. */
function watch(): {
  readonly order: string[];
  note(name: string, event: Promise<unknown>): Promise<unknown>;
} {
  const order: string[] = [];
  return { order, note: (name, event) => event.then(() => order.push(name)) };
}

/** After this, whatever could go on without being waited for has done so. */
async function turn(): Promise<void> {
  for (let round = 0; round < 10; round++) await new Promise(setImmediate);
}

describe('close()', () => {
  it('closes idle connections, and resolves at once where nothing is under way', async () => {
    const { router, who, llm } = await startRouting((route) => ({
      routes: [route('a', { uri: '/a' }), route('b', { uri: '/b' })],
    }));
    await Promise.all([who('/a'), who('/b')]);
    const closed = [...llm.sockets].map((socket) => once(socket, 'close'));
    expect(closed).toHaveLength(2);
    await router.close();
    await Promise.all(closed);
  });

  it('waits for the requests of every route', async () => {
    const holding = await startHolding();
    const { router, ask } = await startRouting(() => ({
      routes: [routeTo(holding.url, 'a', { uri: '/a' }), routeTo(holding.url, 'b', { uri: '/b' })],
    }));
    const { order, note } = watch();
    const answers = note('answered', Promise.all([ask('/a'), ask('/b')]));
    await holding.holding(2);
    const closed = note('closed', router.close());
    await turn();
    expect(order).toEqual([]);
    holding.release();
    await Promise.all([answers, closed]);
    expect(order).toHaveLength(2);
  });

  it('waits for requests of earlier configurations as well', async () => {
    const holding = await startHolding();
    const config = { routes: [routeTo(holding.url, 'a')] };
    const { router, ask } = await startRouting(() => config);
    const { order, note } = watch();
    const first = ask('/chat');
    await holding.holding(1);
    router.update(config);
    router.update(config);
    const closed = note('closed', router.close());
    await turn();
    expect(order).toEqual([]);
    holding.release();
    expect((await first).who).toBe('held');
    await closed;
  });

  it('waits for those whose key is being looked up, and who are then served', async () => {
    const vault = startVault();
    const { router, ask, server } = await startRouting(
      (route) => ({ routes: [route('a', {}, { 'key-auth': {} })], consumers: [jane] }),
      { host: vault.host },
    );
    const { order, note } = watch();
    const answer = ask('/chat', { headers: { apikey: 'key-jane' } });
    await once(server, 'request');
    const closed = note('closed', router.close());
    await turn();
    expect(order).toEqual([]);
    vault.tell('key-jane');
    expect((await answer).who).toBe('a');
    await closed;
  });

  it('waits no longer than until these have been turned away', async () => {
    const vault = startVault();
    const { router, ask, server } = await startRouting(
      (route) => ({ routes: [route('a', {}, { 'key-auth': {} })], consumers: [jane] }),
      { host: vault.host },
    );
    const answer = ask('/chat', { headers: { apikey: 'key-nobody' } });
    await once(server, 'request');
    const closed = router.close();
    vault.tell('key-jane');
    expect((await answer).status).toBe(401);
    await closed;
  });

  it('waits no longer for those who have hung up', async () => {
    const { host } = startVault();
    const { router, port, server } = await startRouting(
      (route) => ({ routes: [route('a', {}, { 'key-auth': {} })], consumers: [jane] }),
      { host },
    );
    const client = await connectRaw(port);
    const arrived = once(server, 'request');
    client.write(rawPost('/chat', '{"messages":[]}', ['apikey: key-jane']));
    await arrived;
    const closed = router.close();
    client.socket.destroy();
    await closed;
  });

  it('waits for nobody who had hung up before the router heard of it', async () => {
    const { router } = await startRouting(
      (route) => ({ routes: [route('a', {}, { 'key-auth': {} })], consumers: [jane] }),
      { host: startVault().host },
    );
    const late = await serve(async (req, res: ServerResponse) => {
      await once(req.socket, 'close');
      router(req, res);
      res.emit('served');
    });
    const client = await connectRaw(late.port);
    const arrived = once(late.server, 'request');
    client.write(rawPost('/chat', '{"messages":[]}', ['apikey: key-jane']));
    const [, res] = await arrived;
    const served = once(res, 'served');
    client.socket.destroy();
    await served;
    await router.close();
  });

  it('leaves requests that come later their service', async () => {
    const { router, who } = await startRouting((route) => ({ routes: [route('a')] }));
    await Promise.all([router.close(), router.close()]);
    expect([await who('/chat'), await who('/other')]).toEqual(['a', '404']);
  });
});

describeWithRedis('close() of a router with limits in Redis', () => {
  it('resolves when everything has been charged, and connections have been closed', async () => {
    const redis = await startRedis();
    const limits = {
      limit: 1000,
      time_window: 60,
      policy: 'redis' as const,
      redis_host: redis.host,
      redis_port: redis.port,
    };
    const holding = await startHolding();
    const router = openRouter({
      routes: [
        routeTo(holding.url, 'a', { uri: '/a' }, { 'ai-rate-limiting': limits }),
        routeTo(holding.url, 'b', { uri: '/b' }, { 'key-auth': {} }),
      ],
      consumers: [
        { username: 'jane', plugins: { 'key-auth': { key: 'key-jane' }, 'ai-rate-limiting': limits } },
      ],
    });
    const { port } = await serve(router);
    const answers = [send(port, '/a'), send(port, '/b', { headers: { apikey: 'key-jane' } })];
    await holding.holding(2);
    const closed = router.close();
    holding.release();
    await closed;
    const keys = await redis.call('KEYS', '*');
    const charged = Array.isArray(keys)
      ? await Promise.all(keys.map((key) => redis.call('GET', String(key))))
      : [];
    expect(charged).toEqual(['31', '31']);
    expect(
      String(await redis.call('CLIENT', 'LIST'))
        .trim()
        .split('\n'),
    ).toHaveLength(1);
    await Promise.all(answers);
  });
});
