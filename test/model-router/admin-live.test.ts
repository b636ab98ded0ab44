import { describe, expect, it } from 'vitest';
import { isJsonObject } from '../../lib/config/json.ts';
import { startHolding } from '../support/holding-upstream.ts';
import {
  aliasOf,
  asConfig,
  findEntry,
  hashOf,
  keyAt,
  modelOf,
  startLive,
  startPair,
  startVendor,
} from './live-router.ts';

describe('a change by the admin API is live when its answer comes', () => {
  it('a new model can be asked for', async () => {
    const { live } = await startPair();
    expect((await live.chat('three')).status).toBe(404);
    await live.admin('POST', 'models', modelOf('three', { provider_key_id: 'one' }));
    expect((await live.chat('three')).status).toBe(200);
  });

  it('a deleted model cannot be asked for any more', async () => {
    const { live } = await startPair();
    const { id } = await findEntry(live, 'models', 'chat');
    expect((await live.admin('DELETE', `models/${id}`)).status).toBe(200);
    expect(await live.chat()).toMatchObject({ status: 404, body: { error: { type: 'model_not_found' } } });
  });

  it.each([
    ['their order', ['one', 'two'], ['two', 'one']],
    [
      'their priorities',
      [
        { model: 'one', priority: 1 },
        { model: 'two', priority: 0 },
      ],
      [
        { model: 'one', priority: 0 },
        { model: 'two', priority: 1 },
      ],
    ],
    ['one for the other', ['one'], ['two']],
  ])('a PUT that changes the targets by %s moves the traffic', async (_what, before, after) => {
    const { live } = await startPair({
      more: { models: [modelOf('one'), modelOf('two'), aliasOf('chat', before)] },
    });
    const { id } = await findEntry(live, 'models', 'chat');
    expect(await live.whoServes()).toBe('one');
    expect((await live.admin('PUT', `models/${id}`, aliasOf('chat', after))).status).toBe(200);
    expect(await live.whoServes()).toBe('two');
  });

  it('a PUT that gives a caller another key_hash ends the old key at once', async () => {
    const { live } = await startPair();
    const { id, value } = await findEntry(live, 'apikeys', hashOf('caller'));
    await live.admin('PUT', `apikeys/${id}`, { ...value, key_hash: hashOf('new') });
    expect((await live.chat('chat', 'caller')).status).toBe(401);
    expect((await live.chat('chat', 'new')).status).toBe(200);
  });

  it('rotate ends the old key at once, and the one it draws works', async () => {
    const { live } = await startPair();
    const { id } = await findEntry(live, 'apikeys', hashOf('caller'));
    const { body } = await live.admin('POST', `apikeys/${id}/rotate`);
    const plaintext = isJsonObject(body) ? String(body.plaintext) : '';
    expect((await live.chat('chat', 'caller')).status).toBe(401);
    expect((await live.chat('chat', plaintext)).status).toBe(200);
  });

  it("a provider key's new secret and address are used, and *** keeps the secret", async () => {
    const { live, two } = await startPair();
    await live.admin('PUT', 'provider_keys/one', {
      ...keyAt('two', two.url),
      id: undefined,
      display_name: 'one',
    });
    expect((await live.chat('one')).status).toBe(200);
    expect(two.calls.at(-1)?.headers.authorization).toBe('Bearer secret-of-two');
    const { value } = await findEntry(live, 'provider_keys', 'one');
    expect((await live.admin('PUT', 'provider_keys/one', value)).status).toBe(200);
    await live.chat('one');
    expect(two.calls).toHaveLength(2);
    expect(two.calls.at(-1)?.headers.authorization).toBe('Bearer secret-of-two');
  });

  it('the first caller key ends the time when everybody may call', async () => {
    const { live } = await startPair({ more: { api_keys: undefined } });
    expect((await live.chat('chat', 'anybody')).status).toBe(200);
    await live.admin('POST', 'apikeys', { key_hash: hashOf('first'), allowed_models: ['chat'] });
    expect((await live.chat('chat', 'anybody')).status).toBe(401);
    expect((await live.chat('chat', 'first')).status).toBe(200);
  });
});

describe('a change that cannot be', () => {
  it('a model that an alias targets cannot be deleted', async () => {
    const { live } = await startPair();
    const { id } = await findEntry(live, 'models', 'one');
    expect((await live.admin('DELETE', `models/${id}`)).status).toBe(409);
    expect(await live.whoServes()).toBe('one');
  });

  it.each([
    ['an alias of a model that does not exist', aliasOf('new', ['nobody'])],
    ['an alias of an alias', aliasOf('new', ['chat'])],
    ['a model of a provider key that does not exist', modelOf('new', { provider_key_id: 'nobody' })],
    ['a model with a misspelt field', modelOf('new', { timeuot: 1 })],
  ])('%s is 400, and changes nothing', async (_what, model) => {
    const saved: unknown[] = [];
    const store = { load: async () => undefined, save: async (config: unknown) => void saved.push(config) };
    const { live } = await startPair({ host: { store } });
    const before = await live.admin('GET', 'models');
    const { status, body } = await live.admin('POST', 'models', model);
    expect({ status, body }).toEqual({ status: 400, body: { error_msg: expect.any(String) } });
    expect((await live.admin('GET', 'models')).body).toEqual(before.body);
    expect((await live.chat('new')).status).toBe(404);
    expect(saved).toEqual([]);
  });

  it('a PUT that turns a targeted model into an alias is 400, and the alias of it still works', async () => {
    const { live } = await startPair();
    const { id } = await findEntry(live, 'models', 'one');
    expect((await live.admin('PUT', `models/${id}`, aliasOf('one', ['two']))).status).toBe(400);
    expect(await live.whoServes()).toBe('one');
  });
});

describe('requests under way', () => {
  it('keep the configuration they began with', async () => {
    const holding = await startHolding();
    const two = await startVendor('two');
    const models = [modelOf('one'), modelOf('two'), aliasOf('chat', ['one'])];
    const config = { provider_keys: [keyAt('one', holding.url), keyAt('two', two.url)], models };
    const live = await startLive(config);
    const { id } = await findEntry(live, 'models', 'chat');
    const first = live.chat();
    await holding.holding(1);
    await live.admin('PUT', `models/${id}`, aliasOf('chat', ['two']));
    expect(await live.whoServes()).toBe('two');
    await live.admin('DELETE', `models/${(await findEntry(live, 'models', 'one')).id}`);
    holding.release();
    const { status, headers } = await first;
    expect({ status, servedBy: headers.get('x-aisix-served-by') }).toEqual({ status: 200, servedBy: 'one' });
  });

  it('fall back by the configuration they began with', async () => {
    const holding = await startHolding();
    const two = await startVendor('two');
    const models = [modelOf('one'), modelOf('two'), aliasOf('chat', ['one', 'two'])];
    const config = { provider_keys: [keyAt('one', holding.url), keyAt('two', two.url)], models };
    const live = await startLive(config);
    const first = live.chat();
    await holding.holding(1);
    live.router.update(asConfig({ ...config, models: [modelOf('two')] }));
    await holding.close();
    const { status, headers } = await first;
    expect({ status, servedBy: headers.get('x-aisix-served-by') }).toEqual({ status: 200, servedBy: 'two' });
  });
});

describe('what the admin API shows', () => {
  it('is what the router was given, whatever has been done to that object since', async () => {
    const vendor = await startVendor('one');
    const given = { provider_keys: [keyAt('one', vendor.url)], models: [modelOf('one')] };
    const live = await startLive(given);
    given.models.push(modelOf('two'));
    given.models[0] = modelOf('renamed');
    expect((await live.admin('GET', 'models')).body).toMatchObject([{ value: { display_name: 'one' } }]);
  });
});

describe('many changes at once', () => {
  it('a hundred all land', async () => {
    const { live } = await startPair();
    const names = Array.from({ length: 100 }, (_, index) => `new-${index}`);
    const answers = await Promise.all(
      names.map((name) => live.admin('POST', 'models', modelOf(name, { provider_key_id: 'one' }))),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    const statuses = await Promise.all(names.map(async (name) => (await live.chat(name)).status));
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(live.router.status().models).toHaveLength(103);
  }, 60_000);
});
