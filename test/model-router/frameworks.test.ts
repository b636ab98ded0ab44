import { modelRouter } from 'ai-proxy-multi';
import express from 'express';
import { describe, expect, it, onTestFinished } from 'vitest';
import { expresses, frameworks, type Handler } from '../frameworks/frameworks.ts';
import { serve } from '../support/app.ts';
import { ADMIN_KEY, makeLogger } from './admin/admin-app.ts';
import { aliasOf, asConfig, hashOf, keyAt, modelOf, startVendor } from './live-router.ts';

async function makeRouter() {
  const one = await startVendor('one');
  const router = modelRouter(
    asConfig({
      provider_keys: [keyAt('one', one.url)],
      models: [modelOf('one'), aliasOf('chat', ['one'])],
      api_keys: [{ key_hash: hashOf('caller'), allowed_models: ['*'] }],
    }),
    { logger: makeLogger([]) },
  );
  onTestFinished(() => router.close());
  return { one, router, admin: router.admin({ keys: [ADMIN_KEY] }) };
}

const headers = { authorization: 'Bearer caller', 'content-type': 'application/json' };
const adminHeaders = { ...headers, authorization: `Bearer ${ADMIN_KEY}` };
const question = JSON.stringify({ model: 'chat', messages: [{ role: 'user', content: 'Hi' }] });
const third = JSON.stringify(modelOf('third', { provider_key_id: 'one' }));

async function expectServed(base: string): Promise<void> {
  const chat = await fetch(`${base}/v1/chat/completions`, { method: 'POST', headers, body: question });
  expect(chat.status).toBe(200);
  expect(chat.headers.get('x-aisix-served-by')).toBe('one');
  expect(await chat.json()).toMatchObject({ model: 'chat' });
  const list = await fetch(`${base}/v1/models`, { headers });
  expect(await list.json()).toMatchObject({ object: 'list', data: [{ id: 'chat' }, { id: 'one' }] });
  const status = await fetch(`${base}/status/models`);
  expect(await status.json()).toMatchObject([{ display_name: 'one' }, { display_name: 'chat' }]);
}

async function expectAdministered(base: string): Promise<void> {
  const models = `${base}/admin/v1/models`;
  const created = await fetch(models, { method: 'POST', headers: adminHeaders, body: third });
  expect(created.status).toBe(200);
  expect(await created.json()).toMatchObject({ value: JSON.parse(third), revision: 1 });
  expect((await fetch(models)).status).toBe(401);
  const rows = await fetch(`${models}/status`, { headers: adminHeaders });
  expect(await rows.json()).toHaveLength(3);
}

const mounts = ['/', '/llm'] as const;
const parsers: readonly (readonly [string, readonly Handler[]])[] = [
  ['with nothing in front', []],
  ['behind express.json()', [express.json()]],
];

describe.each(frameworks)('in $name', ({ makeStack }) => {
  describe.each(mounts)('mounted at %s', (mount) => {
    it.each(parsers)('the router serves, %s', async (_what, before) => {
      const { router } = await makeRouter();
      const stack = makeStack();
      for (const handler of before) stack.use(handler);
      stack.mount(mount, router);
      stack.use((_req, res) => res.end('the application'));
      const { url } = await serve(stack.listener);
      await expectServed(mount === '/' ? url : `${url}${mount}`);
      expect(await (await fetch(`${url}/elsewhere`)).text()).toBe('the application');
      const wrongMethod = await fetch(`${url}${mount === '/' ? '' : mount}/v1/chat/completions`);
      expect(await wrongMethod.text()).toBe('the application');
    });
  });
});

describe.each(expresses)('in $name', ({ makeStack }) => {
  describe.each(mounts)('mounted at %s', (mount) => {
    it.each(parsers)('router and admin API serve side by side, %s', async (_what, before) => {
      const { router, admin } = await makeRouter();
      const stack = makeStack();
      for (const handler of before) stack.use(handler);
      stack.mount(mount, router);
      stack.mount(mount, admin);
      const { url } = await serve(stack.listener);
      const base = mount === '/' ? url : `${url}${mount}`;
      await expectServed(base);
      await expectAdministered(base);
    });
  });
});

describe('on a bare http server', () => {
  it('the router serves, and answers 404 to what is not its business', async () => {
    const { router } = await makeRouter();
    const { url } = await serve(router);
    await expectServed(url);
    const response = await fetch(`${url}/elsewhere`);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error: { code: 'not_found' } });
  });

  it('the admin API behind it serves', async () => {
    const { router, admin } = await makeRouter();
    const { url } = await serve((req, res) =>
      router(req, res, () => admin(req, res, () => res.end('neither'))),
    );
    await expectServed(url);
    await expectAdministered(url);
    expect(await (await fetch(`${url}/elsewhere`)).text()).toBe('neither');
  });
});
