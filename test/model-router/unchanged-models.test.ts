import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../lib/config/json.ts';
import { startHolding } from '../support/holding-upstream.ts';
import {
  aliasOf,
  asConfig,
  findEntry,
  hashOf,
  keyAt,
  type Live,
  modelOf,
  SILENT,
  startLive,
  startPair,
  startVendor,
} from './live-router.ts';

type Change = (live: Live, config: JsonObject) => unknown;

const another = modelOf('another', { provider_key_id: 'two' });

/** All the ways to another configuration in which `one`, `two`, `chat` and the caller are as they were. */
const changes: readonly (readonly [string, Change])[] = [
  ['a change by the admin API', (live) => live.admin('POST', 'models', another)],
  ['update() with the same', (live, config) => live.router.update(asConfig(structuredClone({ ...config })))],
  [
    'update() with more',
    (live, config) => {
      const models: readonly unknown[] = Array.isArray(config.models) ? config.models : [];
      live.router.update(asConfig({ ...config, models: [another, ...models] }));
    },
  ],
];

function rowOf({ router }: Live, name: string) {
  return router.status().models.find((row) => row.display_name === name);
}

describe.each(changes)('%s', (_what, change) => {
  it('leaves a cooldown as it is', async () => {
    const { live, one, config } = await startPair();
    one.status = 503;
    expect(await live.whoServes()).toBe('two');
    const before = rowOf(live, 'one');
    expect(before?.status).toBe('cooldown');
    await change(live, config);
    expect(rowOf(live, 'one')).toEqual(before);
    expect(await live.whoServes()).toBe('two');
    expect(one.calls).toHaveLength(1);
  });

  it.each([
    [
      'of a caller',
      (limit: object) => ({
        api_keys: [{ key_hash: hashOf('caller'), allowed_models: ['*'], rate_limit: limit }],
      }),
    ],
    [
      'of a direct model',
      (limit: object) => ({ models: [modelOf('one'), modelOf('two', { rate_limit: limit })] }),
    ],
    [
      'of an alias',
      (limit: object) => ({
        models: [modelOf('one'), modelOf('two'), { ...aliasOf('chat', ['one']), rate_limit: limit }],
      }),
    ],
  ])('does not count the requests anew %s', async (what, fields) => {
    const { live, config } = await startPair({ more: fields({ rpd: 2 }) });
    const model = what === 'of an alias' ? 'chat' : 'two';
    expect((await live.chat(model)).status).toBe(200);
    expect((await live.chat(model)).status).toBe(200);
    await change(live, config);
    expect((await live.chat(model)).status).toBe(429);
  });

  it('does not count the tokens anew', async () => {
    const { live, config } = await startPair({
      more: { models: [modelOf('one'), modelOf('two', { rate_limit: { tpd: 31 } })] },
    });
    // An answer's 31 tokens.
    expect((await live.chat('two')).status).toBe(200);
    await change(live, config);
    expect((await live.chat('two')).status).toBe(429);
  });

  it('leaves the latency averages as they are', async () => {
    const one = await startHolding();
    const two = await startVendor('two');
    const chat = aliasOf('chat', ['one', 'two'], { strategy: 'least_latency' });
    const config = {
      provider_keys: [keyAt('one', one.url), keyAt('two', two.url)],
      models: [modelOf('one'), modelOf('two'), chat],
    };
    const live = await startLive(config);
    // All the time that `two` takes, and more.
    const slow = live.chat('one');
    await one.holding(1);
    await live.chat('two');
    one.release();
    await slow;
    await change(live, config);
    // Without averages, it would be the first.
    expect(await live.whoServes()).toBe('two');
  });

  it('leaves whose turn it is as it is', async () => {
    const models = [
      modelOf('one'),
      modelOf('two'),
      aliasOf('chat', ['one', 'two'], { strategy: 'round_robin' }),
    ];
    const { live, config } = await startPair({ more: { models } });
    const served = [await live.whoServes()];
    for (let round = 0; round < 3; round++) {
      if (round === 1) await change(live, config);
      served.push(await live.whoServes());
    }
    expect(served).toEqual(['one', 'two', 'one', 'two']);
  });

  it('leaves open sockets open, and they are used again', async () => {
    const { live, one, config } = await startPair();
    await live.chat('one');
    await change(live, config);
    await live.chat('one');
    expect(one.connections).toBe(1);
  });
});

describe('a change of one model', () => {
  it('ends its own cooldown and closes its own sockets, and nobody else’s', async () => {
    const { live, one, two } = await startPair();
    await live.chat('two');
    one.status = 503;
    await live.chat();
    expect(rowOf(live, 'one')?.status).toBe('cooldown');
    const [socket] = one.sockets;
    const closed = socket && once(socket, 'close');
    const { id } = await findEntry(live, 'models', 'one');
    await live.admin('PUT', `models/${id}`, modelOf('one', { model_name: 'newer' }));
    await closed;
    expect(rowOf(live, 'one')?.status).toBe('healthy');
    one.status = 200;
    expect(await live.whoServes()).toBe('one');
    expect(JSON.parse(one.calls.at(-1)?.body ?? '')).toMatchObject({ model: 'newer' });
    await live.chat('two');
    expect(two.connections).toBe(1);
  });

  it.each([
    ['its limits', { rate_limit: { rpd: 100 } }],
    ['who may call it from where', { allowed_cidrs: ['127.0.0.1/32'] }],
    ['how long it may take', { timeout: 20_000, stream_timeout: 10_000 }],
    ['how often it is tried', { retries: 1 }],
  ])('by %s keeps its cooldown', async (_what, fields) => {
    const { live, one } = await startPair();
    one.status = 503;
    await live.chat();
    const { id } = await findEntry(live, 'models', 'one');
    expect((await live.admin('PUT', `models/${id}`, modelOf('one', fields))).status).toBe(200);
    expect(rowOf(live, 'one')?.status).toBe('cooldown');
  });

  it('by another limit counts from the start', async () => {
    const { live } = await startPair({
      more: { models: [modelOf('one'), modelOf('two', { rate_limit: { rpd: 1 } })] },
    });
    await live.chat('two');
    expect((await live.chat('two')).status).toBe(429);
    const { id } = await findEntry(live, 'models', 'two');
    await live.admin('PUT', `models/${id}`, modelOf('two', { rate_limit: { rpd: 2 } }));
    expect((await live.chat('two')).status).toBe(200);
  });
});

describe('whose turn it is stays as it is', () => {
  const turns = (fields: object) => aliasOf('chat', ['one', 'two'], { strategy: 'round_robin', ...fields });

  async function startTurns(): Promise<Live> {
    return (await startPair({ more: { models: [modelOf('one'), modelOf('two'), turns({})] } })).live;
  }

  it.each([
    ['other settings of the alias', 'chat', turns({ max_fallbacks: 1 })],
    ['another time-out of a target', 'one', modelOf('one', { timeout: 20_000 })],
    ['another name of a target upstream', 'one', modelOf('one', { model_name: 'newer' })],
  ])('by %s', async (_what, name, changed) => {
    const live = await startTurns();
    expect(await live.whoServes()).toBe('one');
    const { id } = await findEntry(live, 'models', name);
    expect((await live.admin('PUT', `models/${id}`, changed)).status).toBe(200);
    expect([await live.whoServes(), await live.whoServes()]).toEqual(['two', 'one']);
  });

  it('but not by another weight', async () => {
    const live = await startTurns();
    expect(await live.whoServes()).toBe('one');
    const { id } = await findEntry(live, 'models', 'chat');
    const targets = [{ model: 'one', weight: 2 }, { model: 'two' }];
    await live.admin('PUT', `models/${id}`, turns({ targets }));
    expect(await live.whoServes()).toBe('one');
  });
});

describe('a time-out that is changed', () => {
  it('is in force for the next request', async () => {
    const { live, one } = await startPair();
    const { id } = await findEntry(live, 'models', 'one');
    await live.chat('one');
    await live.admin('PUT', `models/${id}`, modelOf('one', { timeout: 300 }));
    one.status = SILENT;
    expect((await live.chat('one')).status).toBe(504);
  });
});

describe('a model that is deleted and made again', () => {
  it('begins anew', async () => {
    const one = await startVendor('one');
    const live = await startLive({ provider_keys: [keyAt('one', one.url)], models: [modelOf('one')] });
    one.status = 503;
    await live.chat('one');
    const { id } = await findEntry(live, 'models', 'one');
    await live.admin('DELETE', `models/${id}`);
    await live.admin('POST', 'models', modelOf('one'));
    expect(rowOf(live, 'one')?.status).toBe('healthy');
  });
});
