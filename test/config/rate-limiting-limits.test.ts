import { describe, expect, it } from 'vitest';
import { loadRateLimiting } from '../../lib/config/load-rate-limiting.ts';
import { pathsOf, recordWarnings } from './loading.ts';

const none = undefined;
const notText = [5, null, {}, [], true];
const notBoolean = [0, 'true', null, {}];
const port = { good: [1, 65535], bad: [0, 65536, 1.5, '6379', null] };
const milliseconds = { good: [none, 1, 60000], bad: [0, -1, 1.5, '1', null] };
const amount = { good: [1, 1e9, '5', '$arg_a'], bad: [0, -1, 1.5, '0', '1.5', 'x', '', null, {}, [1], true] };

/** Ten years at most. */
const window = {
  good: amount.good.map((value) => (value === 1_000_000_000 ? 315_360_000 : value)),
  bad: [...amount.bad, 315_360_001],
};

/** A field, values it takes, and values it refuses. */
type Row = readonly [field: string, good: readonly unknown[], bad: readonly unknown[]];

const topLevel: readonly Row[] = [
  ['limit', amount.good, amount.bad],
  ['time_window', window.good, window.bad],
  ['instances', [none, [{ name: 'a', limit: 1, time_window: 1 }]], [[], {}, 'a', null, [5]]],
  ['limit_strategy', [none, 'total_tokens', 'prompt_tokens', 'completion_tokens'], ['tokens', 5, null]],
  ['cost_expr', [none, 'a + b'], ['', 5, null]],
  ['rejected_code', [none, 200, 599], [199, 600, 429.5, '429', null]],
  ['rejected_msg', [none, 'no'], ['', 5, null]],
  ['show_limit_quota_header', [none, true, false], notBoolean],
  ['policy', [none, 'local'], ['memory', 'Redis', 5, null]],
  ['allow_degradation', [none, true, false], notBoolean],
  [
    'redis_key_prefix',
    [none, 'a', 'a:b{c}', 'x'.repeat(100)],
    ['', 'a b', 'ä', 'a\n', 'x'.repeat(101), 5, null],
  ],
];

const ofInstance: readonly Row[] = [
  ['name', ['a', ''], [none, ...notText]],
  ['limit', amount.good, [none, ...amount.bad]],
  ['time_window', window.good, [none, ...window.bad]],
];

const ofRule: readonly Row[] = [
  ['count', amount.good, [none, ...amount.bad]],
  ['time_window', window.good, [none, ...window.bad]],
  ['key', ['$arg_a', 'x', ''], [none, ...notText]],
  ['header_prefix', [none, 'User', "!#$%&'*+-.^_`|~0aZ"], ['', 'a b', 'a:b', 'a\r\nb', 'ü', 5, null]],
];

const ofRedis: readonly Row[] = [
  ['redis_host', ['ab', '10.0.0.1', '::1'], [none, 'a', 'redis://ab', 'u:p@ab', 'a b', 'a/b', ...notText]],
  ['redis_port', [none, ...port.good], port.bad],
  ['redis_username', [none, 'u'], ['', ...notText]],
  ['redis_password', [none, '', 'p'], notText],
  ['redis_database', [none, 0, 15], [-1, 1.5, '0', null]],
  ['redis_timeout', milliseconds.good, milliseconds.bad],
  ['redis_ssl', [none, true, false], notBoolean],
  ['redis_ssl_verify', [none, true, false], notBoolean],
  ['redis_keepalive_timeout', [none, 1000], [999, '1000', null]],
  ['redis_keepalive_pool', [none, 1], [0, '1', null]],
];

const ofCluster: readonly Row[] = [
  [
    'redis_cluster_nodes',
    [['ab'], ['ab:1', '[::1]:2']],
    [none, [], ['a'], ['ab:'], ['ab:0'], ['ab:65536'], ['x'.repeat(101)], ['redis://ab'], [5], 'ab:1', null],
  ],
  ['redis_cluster_name', ['c', ''], [none, ...notText]],
  ['redis_password', [none, '', 'p'], notText],
  ['redis_timeout', milliseconds.good, milliseconds.bad],
  ['redis_cluster_ssl', [none, true, false], notBoolean],
  ['redis_cluster_ssl_verify', [none, true, false], notBoolean],
];

const sentinel = { host: 'ab', port: 26379 };
const ofSentinel: readonly Row[] = [
  [
    'redis_sentinels',
    [[sentinel], [sentinel, sentinel]],
    [
      none,
      [],
      {},
      ['ab:1'],
      [{ host: 'ab' }],
      [{ port: 1 }],
      [{ ...sentinel, name: 'x' }],
      [{ host: 'a', port: 1 }],
    ],
  ],
  ['redis_master_name', ['m'], [none, '', ...notText]],
  ['redis_role', [none, 'master', 'slave'], ['replica', 5, null]],
  ['redis_connect_timeout', milliseconds.good, milliseconds.bad],
  ['redis_read_timeout', milliseconds.good, milliseconds.bad],
  ['redis_database', [none, 0], [-1, null]],
  ['redis_username', [none, 'u'], ['', ...notText]],
  ['redis_password', [none, '', 'p'], notText],
  ['sentinel_username', [none, 'u'], ['', ...notText]],
  ['sentinel_password', [none, '', 'p'], notText],
  ['redis_keepalive_timeout', [none, 1], [0, null]],
];

const limit = { limit: 1, time_window: 1 };
const cluster = { policy: 'redis-cluster', redis_cluster_nodes: ['ab'], redis_cluster_name: 'c' };
const sentinels = { policy: 'redis-sentinel', redis_sentinels: [sentinel], redis_master_name: 'm' };

const places: Record<string, { rows: readonly Row[]; put: (fields: Record<string, unknown>) => unknown }> = {
  '': { rows: topLevel, put: (fields) => ({ ...limit, ...fields }) },
  'instances[0].': {
    rows: ofInstance,
    put: (fields) => ({ instances: [{ name: 'a', ...limit, ...fields }] }),
  },
  'rules[0].': {
    rows: ofRule,
    put: (fields) => ({ rules: [{ count: 1, time_window: 1, key: '$arg_a', ...fields }] }),
  },
  'redis: ': {
    rows: ofRedis,
    put: (fields) => ({ ...limit, policy: 'redis', redis_host: 'ab', ...fields }),
  },
  'redis-cluster: ': { rows: ofCluster, put: (fields) => ({ ...limit, ...cluster, ...fields }) },
  'redis-sentinel: ': { rows: ofSentinel, put: (fields) => ({ ...limit, ...sentinels, ...fields }) },
};

for (const [place, { rows, put }] of Object.entries(places)) {
  const prefix = place.endsWith(' ') ? '' : place;

  describe(`the limits of ai-rate-limiting, ${place === '' ? 'the top level' : place}`, () => {
    it.each(rows.flatMap(([field, good]) => good.map((value) => ({ field, value }))))(
      '$field takes $value',
      ({ field, value }) => {
        const config = put({ [field]: value });
        expect(() => loadRateLimiting(config, recordWarnings(), { hasSecretResolver: false })).not.toThrow();
      },
    );

    it.each(rows.flatMap(([field, , bad]) => bad.map((value) => ({ field, value }))))(
      '$field refuses $value, and the fault is at its place',
      ({ field, value }) => {
        const paths = pathsOf(put({ [field]: value }), loadRateLimiting);
        expect(paths).not.toEqual([]);
        for (const path of paths) expect(path.startsWith(`${prefix}${field}`)).toBe(true);
      },
    );
  });
}
