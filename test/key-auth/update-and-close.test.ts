import { aiProxyMulti, ConfigError } from 'ai-proxy-multi';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ConsumerConfig } from '../../lib/config/generated/consumer.ts';
import { instance, post, serve } from '../support/app.ts';
import { echoModel, startUpstream } from '../support/upstream.ts';
import { bareHttp, makeGate, startGate } from './gate.ts';

const withKey = (username: string, key: string): ConsumerConfig => ({
  username,
  plugins: { 'key-auth': { key } },
});

describe('update', () => {
  it('changes the configuration and leaves the consumers', async () => {
    const gate = await startGate();
    gate.middleware.update({ header: 'x-key' });
    expect(await gate.ask('GET /', ['x-key: jane-key'])).toMatchObject({ status: 200 });
    expect(await gate.ask('GET /', ['apikey: jane-key'])).toMatchObject({ status: 401 });
  });

  it('changes the consumers where it gets new ones', async () => {
    const gate = await startGate();
    gate.middleware.update({}, { consumers: [withKey('mary', 'mary-key')] });
    expect(await gate.ask('GET /', ['apikey: jane-key'])).toMatchObject({ status: 401 });
    await gate.ask('GET /', ['apikey: mary-key']);
    expect(gate.seen).toMatchObject([{ consumer: { username: 'mary' } }]);
  });

  it.each<[string, Parameters<ReturnType<typeof makeGate>['middleware']['update']>]>([
    ['a configuration', [{ header: 'not a header' }]],
    ['consumers', [{ header: 'x-key' }, { consumers: [withKey('a', 'same'), withKey('b', 'same')] }]],
    ['an anonymous consumer who is nobody', [{ anonymous_consumer: 'gast' }]],
    ['an anonymous consumer who has gone', [{ anonymous_consumer: 'guest' }, { consumers: [] }]],
  ])('refuses %s that cannot work, and changes nothing', async (_what, replacement) => {
    const gate = await startGate();
    expect(() => gate.middleware.update(...replacement)).toThrow(ConfigError);
    expect(await gate.ask('GET /', ['apikey: jane-key'])).toMatchObject({ status: 200 });
  });
});

describe("the counters of a consumer's own limits", () => {
  const limited = (limit: number): readonly ConsumerConfig[] => [
    {
      username: 'a',
      plugins: {
        'key-auth': { key: 'key-a' },
        'ai-rate-limiting': { limit, time_window: 60, rejected_code: 429 },
      },
    },
  ];

  async function startLimited() {
    const llm = await startUpstream(echoModel());
    const gateway = aiProxyMulti({ instances: [instance('llm', llm.url)] });
    onTestFinished(() => gateway.close());
    const { middleware } = makeGate({}, { consumers: limited(10) });
    const { url } = await serve(bareHttp.listenerOf([middleware, gateway]));
    return {
      middleware,
      async ask() {
        const answer = await post(url, undefined, { headers: { apikey: 'key-a' } });
        await answer.text();
        return answer.status;
      },
    };
  }

  it('go on when the consumers are replaced by the same, and start again with other limits', async () => {
    const { middleware, ask } = await startLimited();
    expect([await ask(), await ask()]).toEqual([200, 429]);
    middleware.update({}, { consumers: [...limited(10), withKey('b', 'key-b')] });
    expect(await ask()).toBe(429);
    middleware.update({}, { consumers: limited(11) });
    expect([await ask(), await ask()]).toEqual([200, 429]);
  });

  it('are still kept after close()', async () => {
    const { middleware, ask } = await startLimited();
    await middleware.close();
    expect(await ask()).toBe(200);
  });
});

describe('close', () => {
  it('lets requests through as before, and can be called twice', async () => {
    const gate = await startGate();
    await Promise.all([gate.middleware.close(), gate.middleware.close()]);
    expect(await gate.ask('GET /', ['apikey: jane-key'])).toMatchObject({ status: 200 });
    expect(await gate.ask('GET /')).toMatchObject({ status: 401 });
  });
});
