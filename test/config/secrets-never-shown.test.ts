// Story: a key pasted into the wrong place makes the configuration invalid, the error lands in a log or on a
// start-up page, and with it the key. Whatever is wrong, nothing found under an `auth` may be in the error.
import { inspect } from 'node:util';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ConfigError } from '../../lib/config/config-error.ts';
import { loadMultiConfig, loadSingleConfig } from '../../lib/config/load-config.ts';
import { instance, recordWarnings } from './loading.ts';

const SECRET = 'sk-hunter2';

function everythingShown(error: Error, warnings: unknown): string {
  return [
    error.message,
    error.stack,
    String(error),
    JSON.stringify(error),
    JSON.stringify(error instanceof ConfigError ? error.errors : []),
    inspect(error, { depth: 20, showHidden: true }),
    inspect(warnings, { depth: 20 }),
  ].join('\n');
}

/** What a load shows of its configuration, whether it fails or not. */
function shownBy(config: unknown, load: typeof loadMultiConfig): string {
  const logger = recordWarnings();
  try {
    load(config, logger, { hasSecretResolver: false });
    return inspect(logger.warnings, { depth: 20 });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return everythingShown(error, logger.warnings);
  }
}

const authsHoldingSecret: readonly (readonly [string, unknown])[] = [
  ['itself', SECRET],
  ['in an array', [SECRET, [SECRET]]],
  ['as a header record', { header: SECRET }],
  ['as a header array', { header: [SECRET] }],
  ['in a header', { header: { Authorization: `Bearer ${SECRET}` } }],
  ['in a header with a line break', { header: { Authorization: `Bearer ${SECRET}\r\nx: y` } }],
  ['in a header outside Latin 1', { header: { Authorization: `“${SECRET}”` } }],
  ['in a header as an array', { header: { Authorization: [SECRET] } }],
  ['in a header as an object', { header: { Authorization: { a: SECRET } } }],
  ['under an illegal header name', { header: { 'x y': SECRET } }],
  ['beside a missing variable', { header: { Authorization: `${SECRET} $env://NOT_THERE` } }],
  ['beside a secret reference', { header: { Authorization: `${SECRET} $secret://vault/key` } }],
  ['from a variable with a line break', { header: { Authorization: '$env://BROKEN_KEY' } }],
  ['from a variable that is not JSON', { header: { Authorization: '$env://BROKEN_KEY/a' } }],
  ['from a variable without the key', { header: { Authorization: '$env://JSON_KEY/b' } }],
  ['from a variable whose key is an object', { header: { Authorization: '$env://JSON_KEY/deep' } }],
  ['as a query record', { query: SECRET }],
  ['in a query parameter', { query: { key: SECRET } }],
  ['in a query parameter as an array', { query: { key: [SECRET] } }],
  ['under an illegal query name', { query: { 'a[]': SECRET } }],
  ['under an unknown name', { headers: { Authorization: SECRET }, bearer: SECRET }],
  ['in gcp', { gcp: { service_account_json: [SECRET], max_ttl: SECRET } }],
  ['as gcp', { gcp: SECRET }],
  ['in aws', { aws: { access_key_id: SECRET, secret_access_key: [SECRET], session_token: { a: SECRET } } }],
  ['in half of aws', { aws: { access_key_id: SECRET } }],
  ['as aws', { aws: [SECRET] }],
];

/** Ways to be wrong around an `auth`, the last of them right. */
const surroundings: readonly (readonly [string, (auth: unknown) => unknown])[] = [
  ['an object in place of the array', (auth) => ({ instances: { auth } })],
  ['an array too deep', (auth) => ({ instances: [[instance({ auth })]] })],
  ['a bare instance', (auth) => instance({ auth })],
  ['a misspelt auth', (auth) => ({ instances: [{ ...instance({ auht: auth }), auth: undefined }] })],
  ['a misspelt list', (auth) => ({ instnaces: [instance({ auth })] })],
  ['both forms', (auth) => ({ instances: [instance({ auth })], providers: [{ name: 'openai', auth }] })],
  ['the early form', (auth) => ({ providers: [{ name: 'opnai', auth }] })],
  [
    'other faults',
    (auth) => ({ timeout: -1, instances: [instance({ auth, weight: 'x' }), instance({ auth })] }),
  ],
  ['auth at the top', (auth) => ({ auth, instances: [] })],
  [
    'auth of the embeddings',
    (auth) => ({ instances: [instance()], semantic_opts: { embeddings: { auth } } }),
  ],
  [
    'auth as the logging',
    (auth) => ({ instances: [instance()], logging: { auth }, balancer: { key: { auth } } }),
  ],
  ['auth as the whole', (auth) => ({ auth })],
  ['nothing else wrong', (auth) => ({ instances: [instance({ auth })] })],
];

beforeEach(() => {
  vi.stubEnv('BROKEN_KEY', `${SECRET}\r\n`);
  vi.stubEnv('JSON_KEY', JSON.stringify({ a: SECRET, deep: { a: SECRET } }));
});
afterEach(() => vi.unstubAllEnvs());

for (const [where, auth] of authsHoldingSecret) {
  describe(`a secret ${where}`, () => {
    it.each(surroundings)('is not shown with %s', (_what, put) => {
      expect(shownBy(put(auth), loadMultiConfig)).not.toContain('hunter2');
      expect(shownBy(put(auth), loadSingleConfig)).not.toContain('hunter2');
    });
  });
}

describe('a secret somewhere in a random auth', () => {
  const names = fc.constantFrom(
    'header',
    'query',
    'gcp',
    'aws',
    'headers',
    'Authorization',
    'key',
    '0',
    'x y',
  );
  const leaf = fc.oneof(
    fc.constant(SECRET),
    fc.constant('$env://JSON_KEY/a'),
    fc.constant(`a\n${SECRET}`),
    fc.integer(),
  );
  const { auth } = fc.letrec((tie) => ({
    auth: fc.oneof(
      { maxDepth: 5 },
      leaf,
      fc.array(tie('auth'), { maxLength: 3 }),
      fc.dictionary(names, tie('auth'), { maxKeys: 4 }),
    ),
  }));

  it('is never shown', () => {
    fc.assert(
      fc.property(auth, fc.constantFrom(...surroundings), (value, [, put]) => {
        const shown = shownBy(put(value), loadMultiConfig) + shownBy(put(value), loadSingleConfig);
        expect(shown).not.toContain('hunter2');
      }),
      { numRuns: 500 },
    );
  });
});

describe('secrets outside auth', () => {
  it.each([
    ['an endpoint with a password', { override: { endpoint: `https://user:${SECRET}@llm.example.com` } }],
    ['an endpoint with a key', { override: { endpoint: `ftp://llm.example.com/?key=${SECRET}` } }],
    ['an endpoint without a scheme', { override: { endpoint: `user:${SECRET}@llm.example.com` } }],
    ['an endpoint in the wrong place', { override: `https://llm.example.com/?key=${SECRET}` }],
    ['an endpoint as an array', { override: { endpoint: [`https://llm.example.com/?key=${SECRET}`] } }],
    ['a probe header', { checks: { active: { req_headers: `authorization: ${SECRET}` } } }],
    ['a probe body', { checks: { active: { http_req_body: [SECRET] } } }],
    ['a probe host', { checks: { active: { host: `user:${SECRET}@llm.example.com` } } }],
  ])('are not shown of %s', (_what, fields) => {
    const shown = shownBy({ instances: [instance(fields)] }, loadMultiConfig);
    expect(shown).toContain('instances[0].');
    expect(shown).not.toContain('hunter2');
  });
});
