import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { loadRateLimiting } from '../../lib/config/load-rate-limiting.ts';
import type { LoadedRateLimiting } from '../../lib/config/loaded-rate-limiting.ts';
import { faultsOf, recordWarnings, type Warning, warningsOf } from './loading.ts';

function load(config: unknown): LoadedRateLimiting {
  return loadRateLimiting(config, recordWarnings(), { hasSecretResolver: true });
}

function withStore(fields: Record<string, unknown>): Record<string, unknown> {
  return { limit: 1, time_window: 1, ...fields };
}

describe('what ai-rate-limiting is loaded into', () => {
  it('has every default when only a limit was written', () => {
    expect(load({ limit: 100, time_window: 60 })).toEqual({
      global: { limit: 100, timeWindow: 60 },
      instances: [],
      rules: [],
      strategy: 'total_tokens',
      rejectedCode: 503,
      showsHeaders: true,
      allowsDegradation: false,
      store: { policy: 'local' },
      keyPrefix: 'ai-proxy-multi',
      fingerprint: expect.stringMatching(/^[0-9a-f]{12}$/),
    });
  });

  it('has what was written in place of the defaults', () => {
    const written = {
      instances: [{ name: 'a', limit: 1, time_window: 2 }],
      limit_strategy: 'completion_tokens',
      rejected_code: 429,
      rejected_msg: 'No tokens left',
      show_limit_quota_header: false,
      allow_degradation: true,
      redis_key_prefix: 'shop',
    };
    expect(load(written)).toEqual({
      instances: [{ name: 'a', limit: 1, timeWindow: 2 }],
      rules: [],
      strategy: 'completion_tokens',
      rejectedCode: 429,
      rejectedMessage: 'No tokens left',
      showsHeaders: false,
      allowsDegradation: true,
      store: { policy: 'local' },
      keyPrefix: 'shop',
      fingerprint: expect.any(String),
    });
  });

  it('takes a limit for all beside those of single instances', () => {
    const loaded = load({
      limit: 5,
      time_window: 6,
      instances: [{ name: 'a', limit: '7', time_window: '$arg_w' }],
    });
    expect(loaded.global).toEqual({ limit: 5, timeWindow: 6 });
    expect(loaded.instances).toEqual([{ name: 'a', limit: 7, timeWindow: '$arg_w' }]);
  });

  it('numbers the rules that have no prefix for their headers', () => {
    const { rules, global } = load({
      rules: [
        { count: 10, time_window: 60, key: '$http_x_user', header_prefix: 'User' },
        { count: '$http_x_limit', time_window: '60', key: '$remote_addr' },
      ],
    });
    expect(rules).toEqual([
      { limit: 10, timeWindow: 60, key: '$http_x_user', headerPrefix: 'User' },
      { limit: '$http_x_limit', timeWindow: 60, key: '$remote_addr', headerPrefix: '2' },
    ]);
    expect(global).toBeUndefined();
  });

  it('compiles cost_expr', () => {
    const { cost } = load(
      withStore({ limit_strategy: 'expression', cost_expr: 'input_tokens + 2 * output_tokens' }),
    );
    expect(cost?.({ input_tokens: 3, output_tokens: 4 })).toBe(11);
  });

  it('is frozen throughout, while the input stays as it was', () => {
    const written = {
      rules: [{ count: 1, time_window: 1, key: '$arg_a' }],
      policy: 'redis-sentinel',
      redis_sentinels: [{ host: 'one.example.com', port: 26379 }],
      redis_master_name: 'main',
      redis_password: '$env://PATH',
    };
    const before = structuredClone(written);
    const loaded = load(written);
    expect(written).toEqual(before);
    expect(Object.isFrozen(loaded.rules[0])).toBe(true);
    const { store } = loaded;
    expect(store.policy === 'redis-sentinel' && Object.isFrozen(store.sentinels[0])).toBe(true);
  });
});

describe('the store of ai-rate-limiting', () => {
  beforeEach(() => {
    vi.stubEnv('REDIS', JSON.stringify({ password: 'from-environment' }));
  });
  afterEach(() => vi.unstubAllEnvs());

  it('is a Redis with its defaults', () => {
    expect(load(withStore({ policy: 'redis', redis_host: 'redis.example.com' })).store).toEqual({
      policy: 'redis',
      host: 'redis.example.com',
      port: 6379,
      database: 0,
      timeout: 1000,
      ssl: false,
      sslVerify: false,
    });
  });

  it('is a Redis with everything', () => {
    const store = {
      policy: 'redis',
      redis_host: '::1',
      redis_port: 7,
      redis_username: 'u',
      redis_password: '$env://REDIS/password',
      redis_database: 8,
      redis_timeout: 9,
      redis_ssl: true,
      redis_ssl_verify: true,
      redis_keepalive_timeout: 1000,
      redis_keepalive_pool: 1,
    };
    expect(load(withStore(store)).store).toEqual({
      policy: 'redis',
      host: '::1',
      port: 7,
      username: 'u',
      password: 'from-environment',
      database: 8,
      timeout: 9,
      ssl: true,
      sslVerify: true,
    });
  });

  it('is a Redis Cluster, whose nodes are told by host and port', () => {
    const store = {
      policy: 'redis-cluster',
      redis_cluster_nodes: ['10.0.0.1:7000', 'node.example.com', '[::1]:7002'],
      redis_cluster_name: 'tokens',
      redis_password: 'p',
      redis_cluster_ssl: true,
      redis_cluster_ssl_verify: true,
    };
    expect(load(withStore(store)).store).toEqual({
      policy: 'redis-cluster',
      nodes: [
        { host: '10.0.0.1', port: 7000 },
        { host: 'node.example.com', port: 6379 },
        { host: '::1', port: 7002 },
      ],
      name: 'tokens',
      password: 'p',
      timeout: 1000,
      ssl: true,
      sslVerify: true,
    });
  });

  it('is a Redis behind sentinels', () => {
    const store = {
      policy: 'redis-sentinel',
      redis_sentinels: [{ host: 's1', port: 26379 }],
      redis_master_name: 'main',
      redis_role: 'slave',
      redis_connect_timeout: 2,
      redis_read_timeout: 3,
      redis_database: 4,
      redis_username: 'u',
      redis_password: 'p',
      sentinel_username: 'su',
      sentinel_password: '$secret://vault/sentinel',
    };
    expect(load(withStore(store)).store).toEqual({
      policy: 'redis-sentinel',
      sentinels: [{ host: 's1', port: 26379 }],
      masterName: 'main',
      role: 'slave',
      username: 'u',
      password: 'p',
      sentinelUsername: 'su',
      sentinelPassword: '$secret://vault/sentinel',
      database: 4,
      connectTimeout: 2,
      readTimeout: 3,
    });
  });

  it('has no password where it is empty', () => {
    const { store } = load(withStore({ policy: 'redis', redis_host: 'redis', redis_password: '' }));
    expect(store).not.toHaveProperty('password');
  });

  it('does not mind the fields of a policy that was not chosen, as APISIX does not', () => {
    const others = { redis_port: 0, redis_cluster_nodes: [], redis_sentinels: 'none', redis_host: '' };
    expect(load(withStore(others)).store).toEqual({ policy: 'local' });
  });
});

describe('the fingerprint of ai-rate-limiting', () => {
  const written = {
    limit: 10,
    time_window: 60,
    instances: [
      { name: 'a', limit: 1, time_window: 2 },
      { name: 'b', limit: 3, time_window: 4 },
    ],
  };
  const rule = { count: 1, time_window: 2, key: '$arg_a' };
  const of = (config: object): string => load(config).fingerprint;

  it.each([
    ['the order of the instances', { ...written, instances: written.instances.toReversed() }],
    ['a number written as text', { ...written, limit: '10' }],
    ['a default written down', { ...written, limit_strategy: 'total_tokens' }],
    ['the answer to those who are turned away', { ...written, rejected_code: 429, rejected_msg: 'no' }],
    ['an expression that is not looked at', { ...written, cost_expr: 'a' }],
    ['the store', { ...written, policy: 'redis', redis_host: 'redis' }],
  ])('does not depend on %s', (_what, config) => {
    expect(of(config)).toBe(of(written));
  });

  it('does not depend on the prefix of headers', () => {
    expect(of({ rules: [{ ...rule, header_prefix: 'x' }] })).toBe(of({ rules: [rule] }));
  });

  it('differs with everything that is counted', () => {
    const expression = { ...written, limit_strategy: 'expression' };
    const configs = [
      written,
      { ...written, limit: 11 },
      { ...written, time_window: 61 },
      { ...written, limit: '$arg_limit' },
      { instances: written.instances },
      { ...written, instances: written.instances.slice(1) },
      { ...written, instances: [{ name: 'c', limit: 1, time_window: 2 }] },
      { ...written, limit_strategy: 'prompt_tokens' },
      { ...expression, cost_expr: 'a' },
      { ...expression, cost_expr: 'b' },
      { rules: [rule] },
      { rules: [{ ...rule, key: '$arg_b' }] },
      { rules: [{ ...rule, count: 2 }] },
      { rules: [] },
    ];
    expect(new Set(configs.map(of)).size).toBe(configs.length);
  });
});

describe('ai-rate-limiting warns', () => {
  const warnings = (config: unknown): Warning[] => warningsOf(config, loadRateLimiting);

  it.each([
    [withStore({ cost_expr: 'a +' }), 'cost_expr', 'does nothing under the limit_strategy "total_tokens"'],
    [
      withStore({ redis_host: 'x' }),
      'redis_host',
      'does nothing under the policy "local"; did you mean "redis"?',
    ],
    [
      withStore({ policy: 'redis', redis_host: 'xx', redis_sentinels: [] }),
      'redis_sentinels',
      'does nothing under the policy "redis"; did you mean "redis-sentinel"?',
    ],
    [{ rules: [] }, 'rules', 'holds no rule: nothing is limited'],
    [
      { rules: [{ count: 1, time_window: 1, key: 'all' }] },
      'rules[0].key',
      'holds no variable: the rule applies to no request',
    ],
    [
      withStore({ reject_code: 429 }),
      'reject_code',
      'unknown field "reject_code"; did you mean "rejected_code"?',
    ],
    [
      { instances: [{ name: 'a', limit: 1, time_window: 1, timewindow: 2 }] },
      'instances[0].timewindow',
      'unknown field "timewindow"; did you mean "time_window"?',
    ],
    [
      withStore({ policy: 'redis', redis_host: 'xx', redis_sll: true }),
      'redis_sll',
      'unknown field "redis_sll"; did you mean "redis_ssl"?',
    ],
  ])('of %j', (config, path, message) => {
    expect(warnings(config)).toEqual([{ path, message }]);
  });

  it('of nothing in what APISIX users write', () => {
    const config = { ...withStore({}), instances: [{ name: 'model', limit: 1, time_window: 1 }], _meta: {} };
    expect(warnings(config)).toEqual([]);
    expect(warnings({ ...config, model: 'x', endpoint: 'y' })).toEqual([]);
  });
});

describe('the faults of ai-rate-limiting', () => {
  const faults = (config: unknown) => faultsOf(config, loadRateLimiting);
  const number = 'must be a whole number above 0, or text with variables such as "$http_x_limit"';
  const either = 'must have limit with time_window, instances or both, or else rules alone';

  it.each([
    [{}, '', either],
    [{ limit_strategy: 'total_tokens' }, '', either],
    [{ limit: 1, time_window: 1, rules: [] }, '', either],
    [{ instances: [{ name: 'a', limit: 1, time_window: 1 }], rules: [] }, '', either],
    [{ limit: 1 }, 'time_window', 'is missing, must be an integer from 1 to 315360000, or a string'],
    [{ time_window: 1 }, 'limit', 'is missing, must be an integer of at least 1, or a string'],
    [{ limit: 0, time_window: 1 }, 'limit', 'is 0, must be an integer of at least 1, or a string'],
    [{ limit: 'ten', time_window: 1 }, 'limit', `is "ten", ${number}`],
    [{ limit: '', time_window: 1 }, 'limit', `is "", ${number}`],
    [{ limit: '0', time_window: 1 }, 'limit', `is "0", ${number}`],
    [{ limit: '1.5', time_window: 1 }, 'limit', `is "1.5", ${number}`],
    [{ limit: '-1', time_window: 1 }, 'limit', `is "-1", ${number}`],
    [{ limit: '9007199254740993', time_window: 1 }, 'limit', `is "9007199254740993", ${number}`],
    [{ limit: '\\$arg_a', time_window: 1 }, 'limit', `is "\\\\$arg_a", ${number}`],
    [{ limit: 1, time_window: 'a minute' }, 'time_window', `is "a minute", ${number}`],
    [{ instances: [{ name: 'a', limit: 'x', time_window: 1 }] }, 'instances[0].limit', `is "x", ${number}`],
    [{ rules: [{ count: 'x', time_window: 1, key: '$a' }] }, 'rules[0].count', `is "x", ${number}`],
    [
      {
        instances: [
          { name: 'a', limit: 1, time_window: 1 },
          { name: 'a', limit: 2, time_window: 1 },
        ],
      },
      'instances[1].name',
      'is "a", must differ from instances[0].name',
    ],
    [
      {
        rules: [
          { count: 1, time_window: 1, key: '$arg_a' },
          { count: 2, time_window: 9, key: '$arg_a' },
        ],
      },
      'rules[1].key',
      'is "$arg_a", must differ from rules[0].key',
    ],
    [
      withStore({ limit_strategy: 'expression' }),
      'cost_expr',
      'is missing, must be a string that is not empty',
    ],
    [
      withStore({ limit_strategy: 'expression', cost_expr: 'a + ' }),
      'cost_expr',
      expect.stringContaining('found the end'),
    ],
    [
      withStore({ limit_strategy: 'tokens' }),
      'limit_strategy',
      expect.stringContaining('did you mean "total_tokens"?'),
    ],
    [
      withStore({ policy: 'redis_cluster' }),
      'policy',
      expect.stringContaining('did you mean "redis-cluster"?'),
    ],
    [withStore({ policy: 'redis' }), 'redis_host', 'is missing, must be a string of at least 2 characters'],
    [
      withStore({ policy: 'redis', redis_host: 'redis://redis.example.com' }),
      'redis_host',
      expect.stringContaining('must be a host name or an address and nothing else'),
    ],
    [
      withStore({ policy: 'redis', redis_host: 'xx', redis_password: '$env://NOT_THERE' }),
      'redis_password',
      'the environment variable NOT_THERE is not set',
    ],
    [
      withStore({ policy: 'redis-cluster', redis_cluster_nodes: ['a:b'], redis_cluster_name: 'c' }),
      'redis_cluster_nodes[0]',
      'is "a:b", must be "host:port", such as "10.0.0.1:6379"',
    ],
    [
      withStore({
        policy: 'redis-sentinel',
        redis_sentinels: [{ host: 'a/b', port: 1 }],
        redis_master_name: 'm',
      }),
      'redis_sentinels[0].host',
      'is "a/b", must be a host name or an address and nothing else',
    ],
    [
      { rules: [{ count: 1, time_window: 1, key: '$arg_a', header_prefix: 'a b' }] },
      'rules[0].header_prefix',
      expect.stringContaining('is "a b", must be a string that matches'),
    ],
  ])('are, of %j, one at "%s"', (config, path, message) => {
    expect(faults(config)).toEqual([{ path, message }]);
  });

  it('are all told at once', () => {
    const config = {
      limit: 0,
      instances: [{ name: 'a' }],
      limit_strategy: 'expression',
      cost_expr: ')',
      rejected_code: 600,
      policy: 'redis',
      redis_port: 70000,
      redis_password: 5,
    };
    expect(
      faults(config)
        .map(({ path }) => path)
        .sort(),
    ).toEqual([
      'cost_expr',
      'instances[0].limit',
      'instances[0].time_window',
      'limit',
      'redis_host',
      'redis_password',
      'redis_port',
      'rejected_code',
      'time_window',
    ]);
  });

  it.each([undefined, null, 5, 'text', []])('say that %s is no configuration', (config) => {
    expect(faults(config)).toEqual([{ path: '', message: expect.stringMatching(/must be an object$/) }]);
  });
});
