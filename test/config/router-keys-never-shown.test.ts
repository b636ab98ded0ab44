// Story: a vendor's key or a caller's key is misplaced in the configuration of a model router, the error lands in a log
// or in the answer of the admin API, and with it the key. Whatever is wrong, no error and no warning may hold it.
import { inspect } from 'node:util';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { checkResource } from '../../lib/config/check-resource.ts';
import { ConfigError } from '../../lib/config/config-error.ts';
import { loadModelRouter } from '../../lib/config/load-model-router.ts';
import { recordWarnings } from './loading.ts';
import { callerKey, directModel, providerKey, routerOf } from './model-router-parts.ts';

const SECRET = 'sk-hunter2';

beforeEach(() => {
  vi.stubEnv('SECRET_KEY', SECRET);
  vi.stubEnv('BROKEN_KEY', `${SECRET}\n`);
});
afterEach(() => vi.unstubAllEnvs());

/** What a load shows of its configuration, whether it fails or not. */
function shownBy(config: unknown): string {
  const logger = recordWarnings();
  try {
    loadModelRouter(config, logger, { hasSecretResolver: false });
    return inspect(logger.warnings, { depth: 20 });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return [error.stack, JSON.stringify(error), inspect([error, logger.warnings], { depth: 20 })].join('\n');
  }
}

describe('a key of a vendor is not shown', () => {
  it.each([
    ['as it should be', { api_key: SECRET }],
    ['beside another', { api_key: SECRET, secret: `${SECRET}-2` }],
    ['in an array', { api_key: [SECRET] }],
    ['in an object', { secret: { a: SECRET } }],
    ['with a line break', { api_key: `${SECRET}\n` }],
    ['with a line break from a variable', { api_key: '$env://BROKEN_KEY' }],
    ['beside a missing variable', { api_key: `${SECRET}$env://NOT_THERE` }],
    ['beside a secret reference', { api_key: `${SECRET}$secret://vault` }],
    ['from a variable that is not JSON', { api_key: '$env://SECRET_KEY/a' }],
    ['under a misspelt name', { apikey: SECRET }],
    ['in the address', { api_base: `https://user:${SECRET}@llm.example.com` }],
    ['in the query of a wrong address', { api_base: `ftp://llm.example.com/?key=${SECRET}` }],
    ['in an address without a scheme', { api_base: `user:${SECRET}@llm.example.com` }],
    ['in an address from a variable', { api_base: '$env://SECRET_KEY' }],
    ['in a header', { request: { default_headers: { authorization: SECRET } } }],
    ['in a header with a line break', { request: { default_headers: { 'x-a': `${SECRET}\n` } } }],
    ['in a header as an array', { request: { default_headers: { 'x-a': [SECRET] } } }],
    ['as the headers', { request: { default_headers: SECRET } }],
    ['as the request', { request: SECRET }],
    ['as the body', { request: { default_body_fields: [SECRET] } }],
    ['as a certificate', { tls: { ca_cert: SECRET } }],
    ['as tls', { tls: [SECRET] }],
  ])('%s', (_how, fields) => {
    expect(shownBy(routerOf({ provider_keys: [providerKey(fields)] }))).not.toContain('hunter2');
    const other = routerOf({ provider_keys: [providerKey({ ...fields, adapter: 'x' })], models: [] });
    expect(shownBy(other)).not.toContain('hunter2');
    const faults = checkResource('provider_keys', providerKey({ ...fields, adapter: 'x' }));
    expect(inspect(faults, { depth: 20 })).not.toContain('hunter2');
  });

  it.each([
    ['the list', SECRET],
    ['an item', [SECRET]],
    ['an array too deep', [[SECRET]]],
    ['the only item', { api_key: SECRET }],
  ])('as %s', (_what, provider_keys) => {
    expect(shownBy(routerOf({ provider_keys }))).not.toContain('hunter2');
  });
});

describe('a key of a caller is not shown', () => {
  it.each([
    ['in place of its hash', [callerKey({ key_hash: SECRET })]],
    ['twice in place of its hash', [callerKey({ key_hash: SECRET }), callerKey({ key_hash: SECRET })]],
    ['in an array', [callerKey({ key_hash: [SECRET] })]],
    ['under a name that is not known', [callerKey({ key: SECRET })]],
    ['as an item', [SECRET]],
    ['as the list', SECRET],
    ['by itself', { key_hash: SECRET }],
  ])('%s', (_how, api_keys) => {
    const shown = shownBy(routerOf({ api_keys }));
    expect(shown).toContain('api_keys');
    expect(shown).not.toContain('hunter2');
  });
});

describe('any JSON at all', () => {
  const word = fc.constantFrom(
    ...[
      'provider_keys',
      'models',
      'api_keys',
      'id',
      'display_name',
      'provider',
      'api_key',
      'secret',
      'api_base',
    ],
    ...[
      'adapter',
      'tls',
      'ca_cert',
      'request',
      'response',
      'default_headers',
      'param_constraints',
      'strip_headers',
    ],
    ...[
      'model_name',
      'provider_key_id',
      'provider_key',
      'routing',
      'targets',
      'model',
      'strategy',
      'hash_on',
      'type',
    ],
    ...[
      'name',
      'cooldown',
      'cost',
      'rate_limit',
      'allowed_cidrs',
      'key_hash',
      'allowed_models',
      'expires_at',
      'x',
    ],
  );
  const leaf = fc.oneof(
    fc.constantFrom(
      'openai',
      'anthropic',
      'a',
      'header',
      '*',
      'https://a',
      '$env://X',
      '10.0.0.0/8',
      'failover',
    ),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
  );
  const { json } = fc.letrec((tie) => ({
    json: fc.oneof(
      { maxDepth: 6, depthSize: 'large' },
      leaf,
      fc.array(tie('json'), { maxLength: 3 }),
      fc.dictionary(word, tie('json'), { maxKeys: 5 }),
    ),
  }));
  const fields = fc.dictionary(word, json, { maxKeys: 6 });

  it('is taken or refused with a ConfigError', () => {
    fc.assert(
      fc.property(json, fields, fields, fields, (whole, key, model, caller) => {
        expect(shownBy(whole)).toEqual(expect.any(String));
        const config = {
          provider_keys: [providerKey(key)],
          models: [directModel(model), model],
          api_keys: [callerKey(caller), caller],
        };
        expect(shownBy(config)).toEqual(expect.any(String));
        for (const kind of ['models', 'provider_keys', 'api_keys'] as const) {
          expect(checkResource(kind, whole)).toEqual(expect.any(Array));
        }
      }),
      { numRuns: 300 },
    );
  });
});
