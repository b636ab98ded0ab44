import { ConfigError } from 'ai-proxy-multi';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../lib/config/json.ts';
import { ADMIN_KEY } from './admin/admin-app.ts';
import { type Answer, asConfig, findEntry, hashOf, modelOf, startPair } from './live-router.ts';

/** Whatever must be seen by nobody. */
const SECRETS = [
  'secret-of-one',
  'secret-of-two',
  'secret-of-new',
  'secret-header',
  'sk-secret-caller',
  ADMIN_KEY,
];

const callerKey = { key_hash: hashOf('sk-secret-caller'), allowed_models: ['*'] };

const newKey = {
  display_name: 'new',
  provider: 'openai',
  api_key: 'secret-of-new',
  request: { default_headers: { 'x-tenant': 'secret-header' } },
};

function textOf(answers: readonly Answer[]): string {
  return JSON.stringify(answers.map(({ body, headers }) => [body, [...headers]]));
}

function expectNone(text: string): void {
  expect(SECRETS.filter((secret) => text.includes(secret))).toEqual([]);
}

describe('no secret is seen', () => {
  it('in an answer of the admin API, in a log line or in status()', async () => {
    const { live, config } = await startPair({ more: { api_keys: [callerKey] } });
    const created = await live.admin('POST', 'provider_keys', newKey);
    const { id: caller } = await findEntry(live, 'apikeys', callerKey.key_hash);
    const bad: readonly JsonObject[] = [
      { ...newKey, api_key: 1, colour: 'secret-of-new' },
      { ...newKey, display_name: 'x', tls: { ca_cert: 'secret-of-new' } },
    ];
    const answers = [
      created,
      ...(await Promise.all(bad.map((body) => live.admin('POST', 'provider_keys', body)))),
      await live.admin('PUT', 'provider_keys/one', { ...newKey, display_name: 'one' }),
      await live.admin('POST', 'models', modelOf('m', { provider_key_id: 'secret-of-nothing' })),
      ...(await Promise.all(
        ['models', 'provider_keys', 'apikeys', 'models/status'].map((path) => live.admin('GET', path)),
      )),
      await live.admin('PUT', `apikeys/${caller}`, callerKey),
    ];
    expect(() =>
      live.router.update(asConfig({ ...config, models: [modelOf('x', { timeout: 'no' })] })),
    ).toThrow(ConfigError);
    expectNone(textOf(answers));
    expectNone(JSON.stringify(live.logs));
    expectNone(JSON.stringify(live.router.status()));
    expect(JSON.stringify(await (await fetch(`${live.url}/status/models`)).text())).not.toContain('secret');
  });

  it('in an answer to a caller, or in a log line, when everything fails', async () => {
    const { live, one, two } = await startPair({ more: { api_keys: [callerKey] } });
    const answers = [
      await live.chat('chat', 'sk-secret-caller'),
      await live.chat('chat', 'sk-secret-caller-2'),
    ];
    one.status = 401;
    answers.push(await live.chat('one', 'sk-secret-caller'));
    await one.close();
    await two.close();
    answers.push(await live.chat('chat', 'sk-secret-caller'), await live.chat('nobody', 'sk-secret-caller'));
    expect(answers.map(({ status }) => status)).toEqual([200, 401, 401, 502, 404]);
    expectNone(textOf(answers));
    expectNone(JSON.stringify(live.logs));
    expectNone(JSON.stringify(live.router.status()));
  });
});
