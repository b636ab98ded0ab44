import { once } from 'node:events';
import type { Socket } from 'node:net';
import { type ModelRouterStore, modelRouter } from 'ai-proxy-multi';
import { describe, expect, it, vi } from 'vitest';
import { serve } from '../support/app.ts';
import { defer } from './admin/deferred.ts';
import {
  aliasOf,
  asConfig,
  hashOf,
  keyAt,
  type Live,
  modelOf,
  startLive,
  startPair,
  startVendor,
} from './live-router.ts';

/** What is kept between two processes. */
function memory(held: unknown): ModelRouterStore & { held: unknown } {
  return {
    held,
    async load() {
      return this.held;
    },
    async save(config) {
      this.held = config;
    },
  };
}

async function pairConfig() {
  const one = await startVendor('one');
  const two = await startVendor('two');
  return (targets: readonly string[]) => ({
    provider_keys: [keyAt('one', one.url), keyAt('two', two.url)],
    models: [modelOf('one'), modelOf('two'), aliasOf('chat', targets)],
    api_keys: [{ key_hash: hashOf('caller'), allowed_models: ['*'] }],
  });
}

const third = modelOf('third', { provider_key_id: 'two' });
const fourth = { ...third, display_name: 'fourth' };
const ROWS = Array.from({ length: 4 }, () => expect.anything());

describe('host.store', () => {
  it('holds what counts: the given configuration only serves where it is empty', async () => {
    const configOf = await pairConfig();
    for (const [held, served] of [
      [configOf(['two']), 'two'],
      [undefined, 'one'],
      [null, 'one'],
    ] as const) {
      const live = await startLive(configOf(['one']), { host: { store: memory(held) } });
      expect(await live.whoServes()).toBe(served);
      expect(live.logs).toEqual([]);
    }
  });

  it('gets the whole configuration with every change, and the next process serves it', async () => {
    const configOf = await pairConfig();
    const store = memory(undefined);
    const before = await startLive(configOf(['one']), { host: { store } });
    await before.admin('POST', 'models', third);
    const after = await startLive(configOf(['one']), { host: { store } });
    expect((await after.chat('third')).status).toBe(200);
    expect((await after.admin('GET', 'models')).body).toEqual((await before.admin('GET', 'models')).body);
  });

  it('may do what it likes with what it is given', async () => {
    const store = memory(undefined);
    store.save = async (config) => {
      Reflect.set(config, 'models', []);
      Reflect.deleteProperty(config.provider_keys[0] ?? {}, 'api_key');
    };
    const { live } = await startPair({ host: { store } });
    await live.admin('POST', 'models', third);
    await live.admin('POST', 'models', fourth);
    expect(await live.whoServes()).toBe('one');
    expect((await live.chat('third')).status).toBe(200);
  });

  it.each<[string, (live: Live) => Promise<unknown>, unknown]>([
    ['a chat', (live) => live.whoServes(), 'two'],
    ['a direct model', async (live) => (await live.chat('third')).status, 200],
    ['a look at the models', async (live) => (await fetch(`${live.url}/status/models`)).json(), ROWS],
    ['an admin read', async (live) => (await live.admin('GET', 'models')).body, ROWS],
    ['an admin write', async (live) => (await live.admin('POST', 'models', fourth)).status, 200],
  ])('is waited for: %s', async (_what, ask, expected) => {
    const configOf = await pairConfig();
    const loading = defer();
    const store = memory(undefined);
    const held = configOf(['two']);
    store.load = () => loading.promise.then(() => ({ ...held, models: [...held.models, third] }));
    const live = await startLive(configOf(['one']), { host: { store } });
    const asked = ask(live);
    // By the time that this is answered, the other one would be.
    await fetch(`${live.url}/elsewhere`);
    loading.resolve();
    expect(await asked).toEqual(expected);
    expect((await live.chat('third')).status).toBe(200);
    expect(await live.whoServes()).toBe('two');
  });

  it('lets pass what is none of the router’s business while it loads', async () => {
    const configOf = await pairConfig();
    const store = memory(undefined);
    store.load = () => new Promise(() => {});
    const live = await startLive(configOf(['one']), { host: { store } });
    expect((await fetch(`${live.url}/elsewhere`)).status).toBe(404);
  });

  it('asks nothing of a caller who leaves before it is loaded', async () => {
    const one = await startVendor('one');
    const loading = defer();
    const store = memory(undefined);
    store.load = () => loading.promise;
    const config = { provider_keys: [keyAt('one', one.url)], models: [modelOf('one')] };
    const router = modelRouter(asConfig(config), { store });
    let arrive = (_socket: Socket): void => {};
    const arrived = new Promise<Socket>((resolve) => {
      arrive = resolve;
    });
    const { url } = await serve((req, res) => {
      router(req, res);
      arrive(req.socket);
    });
    const leaving = new AbortController();
    const asked = fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ model: 'one', messages: [{ role: 'user', content: 'Hi' }] }),
      signal: leaving.signal,
    }).catch(() => 'left');
    const socket = await arrived;
    const closed = once(socket, 'close');
    leaving.abort();
    expect(await asked).toBe('left');
    await closed;
    loading.resolve();
    await fetch(`${url}/v1/models`);
    await router.close();
    expect(one.calls).toEqual([]);
  });
});

describe('a store that cannot be read', () => {
  const secret = 'secret-in-the-store';

  it.each<[string, () => Promise<unknown>]>([
    ['rejects', () => Promise.reject(new Error(`cannot read ${secret}`))],
    ['rejects with no error', () => Promise.reject(secret)],
    ['rejects as JSON.parse does', async () => JSON.parse(`"${secret}`)],
    [
      'throws',
      () => {
        throw new TypeError(secret);
      },
    ],
    ['holds no configuration', async () => secret],
    [
      'holds an invalid configuration',
      async () => ({ provider_keys: [{ api_key: secret, display_name: 'x', secret: 1 }], models: [{}] }),
    ],
  ])('%s: logged without what it said, and the given configuration serves', async (_what, load) => {
    const store = { ...memory(undefined), load };
    const { live } = await startPair({ host: { store } });
    expect(await live.whoServes()).toBe('one');
    expect(live.logs.map(({ level, message }) => ({ level, message }))).toEqual([
      { level: 'error', message: 'the stored configuration cannot be used; the given one stays' },
    ]);
    expect(JSON.stringify(live.logs)).not.toContain(secret);
  });

  it('is not overwritten by the admin API, which can still be read', async () => {
    const store = memory({ models: 'a configuration of a later version' });
    const { live } = await startPair({ host: { store } });
    expect(await live.admin('POST', 'models', third)).toMatchObject({
      status: 503,
      body: { error_msg: 'What host.store holds could not be used, and must not be overwritten.' },
    });
    expect(store.held).toEqual({ models: 'a configuration of a later version' });
    expect((await live.admin('GET', 'models')).body).toHaveLength(3);
  });
});

describe('a store that cannot save', () => {
  it('is answered 500, and nothing has changed', async () => {
    const store = memory(undefined);
    const { live } = await startPair({ host: { store } });
    const before = (await live.admin('GET', 'models')).body;
    store.save = () => Promise.reject(new Error('no space for secret-of-one'));
    expect((await live.admin('POST', 'models', third)).status).toBe(500);
    expect((await live.admin('GET', 'models')).body).toEqual(before);
    expect((await live.chat('third')).status).toBe(404);
    expect(JSON.stringify(live.logs)).not.toContain('secret-of-one');
    store.save = async () => {};
    expect((await live.admin('POST', 'models', third)).status).toBe(200);
  });
});

describe('a store whose save returns no promise', () => {
  it('has saved once it returns', async () => {
    const store = memory(undefined);
    Reflect.set(store, 'save', (config: unknown) => {
      store.held = config;
    });
    const { live } = await startPair({ host: { store } });
    expect((await live.admin('POST', 'models', third)).status).toBe(200);
    expect(JSON.stringify(store.held)).toContain('third');
  });
});

describe('a store that does not answer', () => {
  it('keeps no change waiting for longer than 30 s, and ends up with what is in force', async () => {
    const store = memory(undefined);
    const { live } = await startPair({ host: { store } });
    const before = (await live.admin('GET', 'models')).body;
    const [begun, saving] = [defer(), defer()];
    store.save = async (config) => {
      begun.resolve();
      await saving.promise;
      store.held = config;
    };
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const asked = live.admin('POST', 'models', third);
    await begun.promise;
    vi.advanceTimersByTime(30_000);
    vi.useRealTimers();
    expect((await asked).status).toBe(503);
    expect((await live.admin('GET', 'models')).body).toEqual(before);

    // It might still be saved, and so might the next one.
    expect((await live.admin('POST', 'models', fourth)).status).toBe(503);
    const undone = defer();
    const landed: unknown[] = [];
    store.save = async (config) => {
      landed.push(config);
      undone.resolve();
    };
    saving.resolve();
    await undone.promise;
    expect(JSON.stringify(landed)).not.toContain('third');
    expect((await live.admin('POST', 'models', fourth)).status).toBe(200);
  });
});

describe('without a store', () => {
  it('the first change logs that it will not last, and no other', async () => {
    const { live } = await startPair();
    await live.admin('POST', 'models', third);
    await live.admin('POST', 'models', fourth);
    expect(live.logs).toEqual([
      { level: 'warn', data: {}, message: expect.stringContaining('ends with the process') },
    ]);
  });
});
