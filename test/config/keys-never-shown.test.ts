// Story: a consumer's key or the password of Redis is misplaced, the error lands in a log, and with it the key.
// Whatever is wrong, no error and no warning may hold it.
import { inspect } from 'node:util';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ConfigError } from '../../lib/config/config-error.ts';
import { loadApisixRouter } from '../../lib/config/load-apisix-router.ts';
import { loadConsumers } from '../../lib/config/load-consumers.ts';
import { loadKeyAuth } from '../../lib/config/load-key-auth.ts';
import { loadRateLimiting } from '../../lib/config/load-rate-limiting.ts';
import { type Load, recordWarnings } from './loading.ts';

const SECRET = 'sk-hunter2';

beforeEach(() => {
  vi.stubEnv('SECRET_KEY', SECRET);
  vi.stubEnv('SECRET_JSON', JSON.stringify({ key: SECRET, deep: { key: SECRET } }));
});
afterEach(() => vi.unstubAllEnvs());

/** What a load shows of its configuration, whether it fails or not. */
function shownBy(config: unknown, load: Load): string {
  const logger = recordWarnings();
  try {
    load(config, logger, { hasSecretResolver: false });
    return inspect(logger.warnings, { depth: 20 });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return [
      error.stack,
      JSON.stringify(error),
      inspect(error, { depth: 20, showHidden: true }),
      inspect(logger.warnings, { depth: 20 }),
    ].join('\n');
  }
}

/** Ways to write a key down, right and wrong. */
const holders: readonly (readonly [string, unknown])[] = [
  ['itself', SECRET],
  ['in an array', [SECRET]],
  ['in an object', { key: SECRET }],
  ['too deep', { key: { key: SECRET } }],
  ['in a list of keys', { key: [SECRET] }],
  ['beside a missing variable', { key: `${SECRET}$env://NOT_THERE` }],
  ['beside a secret reference', { key: `${SECRET}$secret://vault/key` }],
  ['from a variable', { key: '$env://SECRET_KEY' }],
  ['from a variable that is not JSON', { key: '$env://SECRET_KEY/key' }],
  ['from a variable with an object', { key: '$env://SECRET_JSON/deep' }],
  ['under a misspelt name', { kye: SECRET }],
];

/** Places in a list of consumers. */
const places: readonly (readonly [string, (holder: unknown) => unknown])[] = [
  ['the plugin', (holder) => [{ username: 'a', plugins: { 'key-auth': holder } }]],
  ['a misspelt plugin', (holder) => [{ username: 'a', plugins: { 'key-atuh': holder } }]],
  ['the plugins', (holder) => [{ username: 'a', plugins: holder }]],
  ['a credential', (holder) => [{ username: 'a', credentials: [{ plugins: { 'key-auth': holder } }] }]],
  ['the credentials', (holder) => [{ username: 'a', credentials: holder }]],
  ['a list of credentials', (holder) => [{ username: 'a', credentials: [holder] }]],
  ["a credential's plugins", (holder) => [{ username: 'a', credentials: [{ plugins: holder }] }]],
  ['the consumer', (holder) => [holder]],
  ['the list', (holder) => holder],
  ['an unknown field', (holder) => [{ username: 'a', 'key-auth': holder }]],
  [
    'two consumers',
    (holder) => [
      { username: 'a', plugins: { 'key-auth': holder } },
      { username: 'b', plugins: { 'key-auth': holder } },
    ],
  ],
  ['a consumer with other faults', (holder) => [{ id: {}, plugins: { 'key-auth': holder, other: holder } }]],
];

for (const [where, put] of places) {
  describe(`a key in ${where}`, () => {
    it.each(holders)('is not shown: %s', (_how, holder) => {
      expect(shownBy(put(holder), loadConsumers)).not.toContain('hunter2');
      expect(shownBy({ routes: [], consumers: put(holder) }, loadApisixRouter)).not.toContain('hunter2');
    });
  });
}

describe('a password of Redis', () => {
  const limit = { limit: 1, time_window: 1 };
  const redis = { ...limit, policy: 'redis', redis_host: 'redis' };

  it.each([
    ['as an array', { ...redis, redis_password: [SECRET] }],
    ['as an object', { ...redis, redis_password: { a: SECRET } }],
    ['beside a missing variable', { ...redis, redis_password: `${SECRET}$env://NOT_THERE` }],
    ['beside a secret reference', { ...redis, redis_password: `${SECRET}$secret://vault/redis` }],
    ['from a variable without the key', { ...redis, redis_password: '$env://SECRET_JSON/none' }],
    ['with other faults', { ...redis, limit: 0, redis_password: SECRET }],
    ['under a misspelt name', { ...redis, redis_pasword: SECRET }],
    ['under a policy that does not need it', { ...limit, redis_password: [SECRET] }],
    ['for sentinels', { ...limit, policy: 'redis-sentinel', sentinel_password: [SECRET] }],
    ['in the host', { ...redis, redis_host: `redis://:${SECRET}@redis` }],
    ['in the host without a scheme', { ...redis, redis_host: `user:${SECRET}@redis` }],
    ['in a node', { ...limit, policy: 'redis-cluster', redis_cluster_nodes: [`redis://:${SECRET}@redis:1`] }],
    [
      'in a sentinel',
      { ...limit, policy: 'redis-sentinel', redis_sentinels: [{ host: `:${SECRET}@redis`, port: 1 }] },
    ],
  ])('is not shown %s', (_how, config) => {
    expect(shownBy(config, loadRateLimiting)).not.toContain('hunter2');
    const consumers = [{ username: 'a', plugins: { 'ai-rate-limiting': config } }];
    expect(shownBy(consumers, loadConsumers)).not.toContain('hunter2');
  });
});

describe('a password in an upstream', () => {
  it.each([
    ['the name of a node', { nodes: { [`user:${SECRET}@a:1`]: 1 } }],
    ['the name of a node with another fault', { nodes: { [`user:${SECRET}@a:1`]: 'x' } }],
    ['a URL as a node', { nodes: { [`https://user:${SECRET}@a`]: 1 } }],
    ['the host of a node', { nodes: [{ host: `user:${SECRET}@a`, weight: 1 }] }],
    ['a client certificate', { nodes: { a: 1 }, tls: { client_key: SECRET } }],
    ['tls itself', { nodes: { a: 1 }, tls: SECRET }],
  ])('is not shown of %s', (_where, fields) => {
    const shown = shownBy({ routes: [], upstreams: [{ id: 'a', ...fields }] }, loadApisixRouter);
    expect(shown).toContain('upstreams[0]');
    expect(shown).not.toContain('hunter2');
  });
});

describe('any JSON at all', () => {
  const word = fc.constantFrom(
    ...[
      'routes',
      'consumers',
      'upstreams',
      'plugins',
      'credentials',
      'key-auth',
      'ai-rate-limiting',
      'ai-proxy',
    ],
    ...[
      'ai-proxy-multi',
      '_meta',
      'disable',
      'username',
      'key',
      'instances',
      'rules',
      'limit',
      'time_window',
    ],
    ...['limit_strategy', 'cost_expr', 'policy', 'redis_host', 'redis_cluster_nodes', 'redis_sentinels'],
    ...['upstream_id', 'nodes', 'id', 'uri', 'hosts', 'a:1', 'x'],
  );
  const leaf = fc.oneof(
    fc.constantFrom(
      'expression',
      'redis',
      'redis-cluster',
      'redis-sentinel',
      'a',
      '/a',
      '$arg_a',
      '$env://X',
      '*',
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

  it.each([
    ['ai-rate-limiting', loadRateLimiting],
    ['key-auth', loadKeyAuth],
    ['consumers', loadConsumers],
    ['a router', loadApisixRouter],
  ] as const)('is taken for %s or refused with a ConfigError', (_what, load) => {
    fc.assert(
      fc.property(json, (config) => {
        expect(shownBy(config, load)).toEqual(expect.any(String));
      }),
      { numRuns: 300 },
    );
  });
});
