import { describe, expect, it } from 'vitest';
import { caller, chatProd, field, idOf, openaiKey, primary, startAdmin, UUID } from './admin-app.ts';

const model = { id: 'm-primary', ...primary };
const alias = { id: 'm-chat', ...chatProd };
const providerKey = { id: 'pk-openai', ...openaiKey };
const key = { id: 'k-1', ...caller };

const shownProviderKey = { ...openaiKey, api_key: '***' };

const KINDS = [
  { path: 'models', list: 'models', written: primary, shown: primary, name: 'display_name' },
  {
    path: 'provider_keys',
    list: 'provider_keys',
    written: openaiKey,
    shown: shownProviderKey,
    name: 'display_name',
  },
  { path: 'apikeys', list: 'api_keys', written: caller, shown: caller, name: 'key_hash' },
  { path: 'api_keys', list: 'api_keys', written: caller, shown: caller, name: 'key_hash' },
] as const;

describe.each(KINDS)('/admin/v1/$path', ({ path, list, written, shown, name }) => {
  const collection = `/admin/v1/${path}`;
  const other = { ...written, [name]: 'f'.repeat(64) };

  it('creates a resource and shows exactly the fields that were sent', async () => {
    const { call, registry } = await startAdmin();
    const answer = await call('POST', collection, written);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.body).toEqual({ id: expect.stringMatching(UUID), value: shown, revision: 1 });
    expect(registry.current()[list]).toEqual([{ id: idOf(answer), ...written }]);
  });

  it('refuses to create what has an unknown field, and names its path', async () => {
    const { call, registry } = await startAdmin();
    const answer = await call('POST', collection, { ...written, colour: 'red' });
    expect(answer.status).toBe(400);
    expect(answer.body).toEqual({ error_msg: 'colour: is not a field' });
    expect(registry.saved).toEqual([]);
  });

  it('refuses to create what the schema does not allow, and names its path', async () => {
    const { call } = await startAdmin();
    const answer = await call('POST', collection, { ...written, [name]: 1 });
    expect(answer.status).toBe(400);
    expect(answer.body).toEqual({ error_msg: `${name}: must be a string` });
  });

  it('refuses to create what brings its own id', async () => {
    const { call } = await startAdmin();
    const answer = await call('POST', collection, { id: 'mine', ...written });
    expect(answer.status).toBe(400);
    expect(answer.body).toEqual({ error_msg: 'id: is made by the server' });
  });

  it(`refuses to create a second one with the same ${name}`, async () => {
    const { call, registry } = await startAdmin({ [list]: [{ id: 'first', ...written }] });
    const answer = await call('POST', collection, written);
    expect(answer.status).toBe(409);
    expect(field(answer, 'error_msg')).toContain(name);
    expect(registry.saved).toEqual([]);
  });

  it('lists its resources as a plain array, in their order', async () => {
    const { call } = await startAdmin({
      [list]: [
        { id: 'first', ...written },
        { id: 'second', ...other },
      ],
    });
    const answer = await call('GET', collection);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual([
      { id: 'first', value: shown, revision: 1 },
      { id: 'second', value: { ...shown, [name]: 'f'.repeat(64) }, revision: 1 },
    ]);
  });

  it('lists nothing where there is nothing', async () => {
    const { call } = await startAdmin();
    expect(await call('GET', collection)).toMatchObject({ status: 200, body: [] });
  });

  it('shows one', async () => {
    const { call } = await startAdmin({ [list]: [{ id: 'first', ...written }] });
    const answer = await call('GET', `${collection}/first`);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ id: 'first', value: shown, revision: 1 });
  });

  it.each(['GET', 'PUT', 'DELETE'])('answers %s of one that does not exist with 404', async (method) => {
    const { call, registry } = await startAdmin({ [list]: [{ id: 'first', ...written }] });
    const answer = await call(method, `${collection}/second`, method === 'PUT' ? other : undefined);
    expect(answer.status).toBe(404);
    expect(answer.body).toEqual({ error_msg: expect.stringContaining('There is no') });
    expect(registry.saved).toEqual([]);
  });

  it('replaces one as a whole, in its place, and counts the revision up', async () => {
    const { call, registry } = await startAdmin({
      [list]: [
        { id: 'first', ...written },
        { id: 'second', ...other },
      ],
    });
    const replacement = { [name]: 'e'.repeat(64) };
    expect((await call('PUT', `${collection}/first`, replacement)).body).toEqual({
      id: 'first',
      value: replacement,
      revision: 2,
    });
    expect(registry.current()[list]).toEqual([
      { id: 'first', ...replacement },
      { id: 'second', ...other },
    ]);
    expect((await call('GET', `${collection}/first`)).body).toMatchObject({ revision: 2 });
  });

  it('lets one keep its own name', async () => {
    const { call } = await startAdmin({ [list]: [{ id: 'first', ...written }] });
    expect(await call('PUT', `${collection}/first`, written)).toMatchObject({
      status: 200,
      body: { id: 'first', value: shown, revision: 2 },
    });
  });

  it('refuses to replace one by what the schema does not allow', async () => {
    const { call, registry } = await startAdmin({ [list]: [{ id: 'first', ...written }] });
    const answer = await call('PUT', `${collection}/first`, { ...written, colour: 'red' });
    expect(answer.status).toBe(400);
    expect(answer.body).toEqual({ error_msg: 'colour: is not a field' });
    expect(registry.saved).toEqual([]);
  });

  it(`refuses to give one another's ${name}`, async () => {
    const { call, registry } = await startAdmin({
      [list]: [
        { id: 'first', ...written },
        { id: 'second', ...other },
      ],
    });
    expect(await call('PUT', `${collection}/second`, written)).toMatchObject({ status: 409 });
    expect(registry.saved).toEqual([]);
  });

  it('deletes one', async () => {
    const { call, registry } = await startAdmin({ [list]: [{ id: 'first', ...written }] });
    const answer = await call('DELETE', `${collection}/first`);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ deleted: true, id: 'first' });
    expect(registry.current()[list]).toEqual([]);
    expect((await call('GET', `${collection}/first`)).status).toBe(404);
  });

  it('answers HEAD as GET, without the body', async () => {
    const { call } = await startAdmin({ [list]: [{ id: 'first', ...written }] });
    for (const place of [collection, `${collection}/first`]) {
      const get = await call('GET', place);
      const head = await call('HEAD', place);
      expect(head).toMatchObject({ status: 200, body: '' });
      expect(head.headers.get('content-length')).toBe(get.headers.get('content-length'));
    }
  });

  it.each([
    ['PUT', collection, 'GET, HEAD, POST'],
    ['DELETE', collection, 'GET, HEAD, POST'],
    ['OPTIONS', collection, 'GET, HEAD, POST'],
    ['POST', `${collection}/first`, 'GET, HEAD, PUT, DELETE'],
    ['PATCH', `${collection}/first`, 'GET, HEAD, PUT, DELETE'],
  ])('answers %s %s with 405 and what can be done instead', async (method, place, allow) => {
    const { call } = await startAdmin();
    const answer = await call(method, place);
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe(allow);
    expect(answer.body).toEqual({ error_msg: expect.any(String) });
  });
});

describe('what others need', () => {
  it('a model that a routing model targets cannot be deleted', async () => {
    const { call, registry } = await startAdmin({ models: [model, alias] });
    const answer = await call('DELETE', '/admin/v1/models/m-primary');
    expect(answer.status).toBe(409);
    expect(answer.body).toEqual({ error_msg: 'This model is still used by ["chat-prod"].' });
    expect(registry.saved).toEqual([]);
  });

  it('a routing model can be deleted, and its target after it', async () => {
    const { call, registry } = await startAdmin({ models: [model, alias] });
    expect((await call('DELETE', '/admin/v1/models/m-chat')).status).toBe(200);
    expect((await call('DELETE', '/admin/v1/models/m-primary')).status).toBe(200);
    expect(registry.current().models).toEqual([]);
  });

  it.each([
    ['its id', { provider_key_id: 'pk-openai' }],
    ['its name', { provider_key: 'openai' }],
  ])('a provider key that a model uses by %s cannot be deleted', async (_what, reference) => {
    const { provider_key_id: _id, ...unlinked } = model;
    const { call, registry } = await startAdmin({
      provider_keys: [providerKey],
      models: [{ ...unlinked, ...reference }],
    });
    const answer = await call('DELETE', '/admin/v1/provider_keys/pk-openai');
    expect(answer.status).toBe(409);
    expect(answer.body).toEqual({ error_msg: 'This provider key is still used by ["gpt-4o-primary"].' });
    expect(registry.saved).toEqual([]);
  });

  it('a configuration that does not hold together is refused, and nothing changes', async () => {
    const { call, registry } = await startAdmin({ models: [model, alias] });
    const renamed = { ...primary, display_name: 'other' };
    expect(await call('PUT', '/admin/v1/models/m-primary', renamed)).toMatchObject({
      status: 400,
      body: { error_msg: 'models[1].routing.targets[0].model: is no model' },
    });
    expect(registry.saved).toEqual([]);
    expect((await call('GET', '/admin/v1/models/m-primary')).body).toMatchObject({ revision: 1 });
  });

  it('the lists that a write is not about stay as they are', async () => {
    const { call, registry } = await startAdmin({ provider_keys: [providerKey], api_keys: [key] });
    await call('POST', '/admin/v1/models', primary);
    expect(registry.current()).toMatchObject({ provider_keys: [providerKey], api_keys: [key] });
  });
});

describe('revisions', () => {
  it('count every change', async () => {
    const { call } = await startAdmin({ models: [model] });
    for (const revision of [2, 3, 4]) {
      expect((await call('PUT', '/admin/v1/models/m-primary', primary)).body).toMatchObject({ revision });
    }
  });

  it('do not count a change that failed', async () => {
    const { call, registry } = await startAdmin({ models: [model] });
    registry.save = () => Promise.reject(new Error('no space'));
    expect((await call('PUT', '/admin/v1/models/m-primary', primary)).status).toBe(500);
    registry.save = async () => {};
    expect((await call('PUT', '/admin/v1/models/m-primary', primary)).body).toMatchObject({ revision: 2 });
  });
});
