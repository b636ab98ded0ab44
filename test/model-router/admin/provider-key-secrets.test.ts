import { describe, expect, it } from 'vitest';
import { openaiKey, startAdmin } from './admin-app.ts';

const PATH = '/admin/v1/provider_keys';
const CERTIFICATE = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';

const full = {
  id: 'pk-openai',
  ...openaiKey,
  tls: { ca_cert: CERTIFICATE, verify: true },
  request: {
    default_headers: { 'X-Key': 'sk-of-header', 'x-org': 'sk-of-org' },
    default_body_fields: { n: 1 },
  },
};

const shown = {
  display_name: 'openai',
  provider: 'openai',
  api_key: '***',
  tls: { ca_cert: CERTIFICATE, verify: true },
  request: { default_headers: { 'X-Key': '***', 'x-org': '***' }, default_body_fields: { n: 1 } },
};

describe("a provider key's secrets", () => {
  it('are never shown', async () => {
    const { call } = await startAdmin({ provider_keys: [full] });
    const { id: _id, ...written } = full;
    const answers = [
      await call('GET', PATH),
      await call('GET', `${PATH}/pk-openai`),
      await call('PUT', `${PATH}/pk-openai`, written),
      await call('POST', PATH, { ...written, display_name: 'another' }),
      await call('POST', PATH, written),
      await call('POST', PATH, { ...written, colour: 'red' }),
      await call('DELETE', `${PATH}/pk-openai`),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 409, 400, 200]);
    expect(answers[1]?.body).toEqual({ id: 'pk-openai', value: shown, revision: 1 });
    expect(JSON.stringify(answers)).not.toContain('sk-of');
  });

  it('are shown as api_key, whatever they were called', async () => {
    const { call, registry } = await startAdmin();
    const answer = await call('POST', PATH, { secret: 'sk-of-openai', display_name: 'openai' });
    expect(answer.body).toMatchObject({ value: { api_key: '***', display_name: 'openai' } });
    expect(answer.body).not.toHaveProperty('value.secret');
    expect(registry.current().provider_keys).toEqual([
      { id: expect.any(String), secret: 'sk-of-openai', display_name: 'openai' },
    ]);
  });

  it('in the query of its address are never shown, and kept by a PUT of what was read', async () => {
    const { call, registry } = await startAdmin();
    const url = (key: string) => `https://llm.test/v1?api-version=2024-10-21&key=${key}&n=1&token=a%20${key}`;
    const created = await call('POST', PATH, { ...openaiKey, api_base: url('sk-of-the-query') });
    const api_base = 'https://llm.test/v1?api-version=2024-10-21&key=***&n=1&token=***';
    expect(created.body).toMatchObject({ value: { api_base } });
    const { id, value } = created.body as { id: string; value: object };
    expect((await call('PUT', `${PATH}/${id}`, value)).status).toBe(200);
    expect(registry.current().provider_keys).toMatchObject([{ api_base: url('sk-of-the-query') }]);
    const unknown = { ...openaiKey, display_name: 'other', api_base: 'https://llm.test/v1?key=***' };
    expect((await call('POST', PATH, unknown)).status).toBe(400);
  });

  it('are handed on as they were written where they are references', async () => {
    const { call, registry } = await startAdmin();
    const answer = await call('POST', PATH, { ...openaiKey, api_key: '$env://OPENAI_API_KEY' });
    expect(answer.body).toMatchObject({ value: { api_key: '***' } });
    expect(registry.saved[0]?.provider_keys).toMatchObject([{ api_key: '$env://OPENAI_API_KEY' }]);
  });

  it('are kept by a PUT of what was read', async () => {
    const { call, registry } = await startAdmin({ provider_keys: [full] });
    const answer = await call('PUT', `${PATH}/pk-openai`, { ...shown, api_base: 'https://llm.test/v1' });
    expect(answer.body).toMatchObject({ value: { ...shown, api_base: 'https://llm.test/v1' } });
    expect(registry.current().provider_keys).toEqual([{ ...full, api_base: 'https://llm.test/v1' }]);
  });

  it('are kept under the new name where the old one was secret', async () => {
    const { api_key: secret, ...rest } = openaiKey;
    const { call, registry } = await startAdmin({ provider_keys: [{ id: 'pk', ...rest, secret }] });
    expect((await call('PUT', `${PATH}/pk`, { ...rest, api_key: '***' })).status).toBe(200);
    expect(registry.current().provider_keys).toEqual([{ id: 'pk', ...rest, api_key: secret }]);
  });

  it("keep a header's value whatever the case of its name", async () => {
    const { call, registry } = await startAdmin({ provider_keys: [full] });
    const request = { default_headers: { 'x-key': '***', 'X-ORG': 'sk-of-new' } };
    await call('PUT', `${PATH}/pk-openai`, { ...openaiKey, request });
    expect(registry.current().provider_keys).toMatchObject([
      { request: { default_headers: { 'x-key': 'sk-of-header', 'X-ORG': 'sk-of-new' } } },
    ]);
  });

  it('can be replaced and left out', async () => {
    const { call, registry } = await startAdmin({ provider_keys: [full] });
    await call('PUT', `${PATH}/pk-openai`, { display_name: 'openai', api_key: 'sk-of-new' });
    expect(registry.current().provider_keys).toEqual([
      { id: 'pk-openai', display_name: 'openai', api_key: 'sk-of-new' },
    ]);
    await call('PUT', `${PATH}/pk-openai`, { display_name: 'openai' });
    expect(registry.current().provider_keys).toEqual([{ id: 'pk-openai', display_name: 'openai' }]);
  });

  it.each([
    ['api_key', { api_key: '***' }],
    ['secret', { secret: '***' }],
    ['request.default_headers["x-key"]', { request: { default_headers: { 'x-key': '***' } } }],
  ])('cannot be kept where there is none: %s', async (path, fields) => {
    const old = { id: 'pk', display_name: 'openai' };
    const { call, registry } = await startAdmin({ provider_keys: [old] });
    const message = `${path}: is "***", which keeps a secret, but there is none`;
    for (const [method, place, name] of [
      ['POST', PATH, 'new'],
      ['PUT', `${PATH}/pk`, 'openai'],
    ] as const) {
      const answer = await call(method, place, { display_name: name, ...fields });
      expect(answer).toMatchObject({ status: 400, body: { error_msg: message } });
    }
    expect(registry.current().provider_keys).toEqual([old]);
  });

  it.each([{ request: 1 }, { request: [] }, { request: { default_headers: ['***'] } }])(
    'are looked for in odd shapes without harm: %j',
    async (fields) => {
      const { call } = await startAdmin();
      const answer = await call('POST', PATH, { ...openaiKey, ...fields });
      expect(answer).toMatchObject({ status: 200, body: { value: fields } });
    },
  );
});
