import { afterEach, describe, expect, it, vi } from 'vitest';
import type { ModelRouterConfig } from '../../lib/config/generated/model-router.ts';
import { loadModelRouter } from '../../lib/config/load-model-router.ts';
import { warningsOf } from './loading.ts';
import {
  alias,
  callerKey,
  directModel,
  hashOf,
  loadAlias,
  loadDirect,
  loadRouter,
  providerKey,
  routerOf,
} from './model-router-parts.ts';

afterEach(() => vi.unstubAllEnvs());

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/;
const cooldown = {
  triggerStatuses: [401, 408, 429, 500, 502, 503, 504],
  triggerOnTimeout: true,
  triggerOnTransport: true,
  defaultMs: 30_000,
  maxMs: 600_000,
  honorRetryAfter: true,
};

describe('the guide of the multi-target model', () => {
  const config: ModelRouterConfig = {
    provider_keys: [
      { id: 'pk-openai', display_name: 'openai', provider: 'openai', api_key: '$env://OPENAI_API_KEY' },
    ],
    models: [
      {
        display_name: 'gpt-4o-primary',
        provider: 'openai',
        model_name: 'gpt-4o',
        provider_key_id: 'pk-openai',
      },
      {
        display_name: 'gpt-4o-secondary',
        provider: 'openai',
        model_name: 'gpt-4o-mini',
        provider_key_id: 'pk-openai',
      },
      {
        display_name: 'chat-prod',
        routing: {
          strategy: 'failover',
          retries: 1,
          max_fallbacks: 1,
          retry_on_429: true,
          targets: [{ model: 'gpt-4o-primary' }, { model: 'gpt-4o-secondary' }],
        },
      },
    ],
    api_keys: [{ key_hash: hashOf('sk-routing-demo'), allowed_models: ['chat-prod'] }],
  };

  it('is loaded as it was meant, with ids', () => {
    vi.stubEnv('OPENAI_API_KEY', 'sk-1');
    const { models, callers } = loadRouter(config);
    expect(models).toMatchObject([
      { kind: 'direct', name: 'gpt-4o-primary', upstreamModel: 'gpt-4o', providerKey: { apiKey: 'sk-1' } },
      { kind: 'direct', name: 'gpt-4o-secondary', upstreamModel: 'gpt-4o-mini' },
      { kind: 'routing', name: 'chat-prod', retries: 1, maxFallbacks: 1, retryOn429: true },
    ]);
    expect(callers).toMatchObject([{ keyHash: hashOf('sk-routing-demo'), allowedModels: ['chat-prod'] }]);
    for (const { id } of [...models, ...(callers ?? [])]) expect(id).toMatch(UUID);
  });

  it('causes no warning', () => {
    vi.stubEnv('OPENAI_API_KEY', 'sk-1');
    expect(warningsOf(config, loadModelRouter)).toEqual([]);
  });
});

describe('what a direct model is loaded into', () => {
  it('has every default', () => {
    expect(loadDirect()).toEqual({
      kind: 'direct',
      id: expect.stringMatching(UUID),
      name: 'one',
      provider: 'openai',
      upstreamModel: 'gpt-4o',
      providerKey: expect.objectContaining({ id: 'pk', displayName: 'main' }),
      limits: {},
      cooldown,
    });
  });

  it('has what was written', () => {
    const written = {
      id: 'm1',
      timeout: 5000,
      stream_timeout: 700,
      retries: 2,
      cost: { input_per_1k: 0.25, output_per_1k: 0.5 },
      rate_limit: { rps: 1, rpm: 2, rph: 3, rpd: 4, tpm: 5, tpd: 6, concurrency: 7 },
      allowed_cidrs: ['10.0.0.0/8', '192.0.2.7', 'fd00::/8', '::1'],
    };
    expect(loadDirect(written)).toMatchObject({
      id: 'm1',
      timeoutMs: 5000,
      streamTimeoutMs: 700,
      retries: 2,
      price: 0.75,
      limits: written.rate_limit,
      allowedCidrs: [
        { family: 'ipv4', address: '10.0.0.0', prefix: 8 },
        { family: 'ipv4', address: '192.0.2.7', prefix: 32 },
        { family: 'ipv6', address: 'fd00::', prefix: 8 },
        { family: 'ipv6', address: '::1', prefix: 128 },
      ],
    });
  });

  it.each([
    ['no timeout', { timeout: 0 }, { timeoutMs: Number.POSITIVE_INFINITY }],
    ['a timeout that no timer can have', { timeout: 1e12 }, { timeoutMs: 2 ** 31 - 1 }],
    ['a price of 0', { cost: { input_per_1k: 0, output_per_1k: 0 } }, { price: 0 }],
    ['retries switched off', { retries: 0 }, { retries: 0 }],
    [
      'limits of 0, which let nothing through',
      { rate_limit: { rpm: 0, tpm: 9 } },
      { limits: { rpm: 0, tpm: 9 } },
    ],
    [
      'another cooldown',
      { cooldown: { default_seconds: 5 } },
      { cooldown: { ...cooldown, defaultMs: 5000 } },
    ],
  ])('has %s', (_what, fields, expected) => {
    expect(loadDirect(fields)).toMatchObject(expected);
  });

  it.each([
    ['stream timeout when that is 0', { stream_timeout: 0 }, 'streamTimeoutMs'],
    ['list of networks when that is empty', { allowed_cidrs: [] }, 'allowedCidrs'],
    ['cooldown when that is switched off', { cooldown: { enabled: false } }, 'cooldown'],
    ['cooldown when that has no length', { cooldown: { default_seconds: 0 } }, 'cooldown'],
    ['check when that is off', { background_model_check: { enabled: false } }, 'backgroundCheck'],
  ])('has no %s', (_what, fields, name) => {
    expect(loadDirect(fields)).not.toHaveProperty(name);
  });

  it('has a background check with defaults that follow from each other', () => {
    expect(loadDirect({ background_model_check: {} }).backgroundCheck).toEqual({
      intervalMs: 60_000,
      timeoutMs: 10_000,
      prompt: 'ping',
      maxTokens: 16,
      ignoreStatuses: [],
      staleAfterMs: 180_000,
    });
    const check = { interval_seconds: 5, ignore_statuses: [408], max_tokens: 1, prompt: 'x' };
    expect(loadDirect({ background_model_check: check }).backgroundCheck).toMatchObject({
      intervalMs: 5000,
      staleAfterMs: 15_000,
      ignoreStatuses: [408],
    });
  });

  it('finds its provider key by its name as well', () => {
    const byName = { provider_key_id: undefined, provider_key: 'main' };
    expect(loadDirect(byName).providerKey.id).toBe('pk');
    expect(loadDirect({ provider_key: 'main' }).providerKey.id).toBe('pk');
  });

  it('shares its provider key with the other models that have it', () => {
    const models = [directModel(), directModel({ display_name: 'two', provider_key: 'main' })];
    const [one, two] = loadRouter(routerOf({ models })).models;
    expect(one?.kind === 'direct' && two?.kind === 'direct' && one.providerKey === two.providerKey).toBe(
      true,
    );
  });
});

describe('what an alias is loaded into', () => {
  it('has every default', () => {
    expect(loadAlias()).toEqual({
      kind: 'routing',
      id: expect.stringMatching(UUID),
      name: 'chat',
      limits: {},
      strategy: 'failover',
      targets: [{ model: 'one', weight: 1, priority: 0, tags: [] }],
      retryOn429: false,
      fallbackOnStatuses: [],
      whenAllUnavailable: 'fail',
      hashOn: [{ type: 'header', name: 'x-aisix-routing-key' }, { type: 'api_key' }],
    });
  });

  it.each([
    ['failover', 'failover'],
    ['round_robin', 'round_robin'],
    ['weighted', 'round_robin'],
    ['consistent_hash', 'consistent_hash'],
    ['least_cost', 'least_cost'],
    ['least_latency', 'least_latency'],
    ['least_busy', 'least_busy'],
  ])('takes the strategy %s as %s', (strategy, loaded) => {
    expect(loadAlias({ strategy }).strategy).toBe(loaded);
  });

  it.each([
    [{ on_all_filtered: 'fail' }, 'fail'],
    [{ on_all_filtered: 'original_order' }, 'try_anyway'],
    [{ on_all_filtered: 'try_anyway' }, 'try_anyway'],
    [{ when_all_unavailable: 'fail' }, 'fail'],
    [{ when_all_unavailable: 'original_order' }, 'try_anyway'],
    [{ when_all_unavailable: 'try_anyway' }, 'try_anyway'],
    [{ when_all_unavailable: 'try_anyway', on_all_filtered: 'original_order' }, 'try_anyway'],
    [{ when_all_unavailable: 'fail', on_all_filtered: 'fail' }, 'fail'],
  ])('understands %j', (routing, policy) => {
    expect(loadAlias(routing).whenAllUnavailable).toBe(policy);
  });

  it('has what was written', () => {
    const routing = {
      targets: [{ model: 'one', weight: 7, priority: -1, tags: ['eu', 'default'] }],
      retries: 0,
      max_fallbacks: 0,
      fallback_on_statuses: [404, 599],
      hash_on: [{ type: 'header', name: 'X-User' }, { type: 'cookie', name: 'Sid' }, { type: 'client_ip' }],
    };
    expect(loadAlias(routing, { timeout: 9, stream_timeout: 8, id: 'r' })).toMatchObject({
      id: 'r',
      timeoutMs: 9,
      streamTimeoutMs: 8,
      targets: routing.targets,
      retries: 0,
      maxFallbacks: 0,
      fallbackOnStatuses: [404, 599],
      hashOn: [{ type: 'header', name: 'x-user' }, { type: 'cookie', name: 'Sid' }, { type: 'client_ip' }],
    });
  });

  it('counts a weight of 0 as 1', () => {
    expect(loadAlias({ targets: [{ model: 'one', weight: 0 }] }).targets[0]?.weight).toBe(1);
  });
});

describe('what a caller is loaded into', () => {
  const loadCaller = (fields: Record<string, unknown>) =>
    loadRouter(routerOf({ api_keys: [callerKey(fields)] })).callers?.[0];

  it('has every default', () => {
    expect(loadCaller({})).toEqual({
      id: expect.stringMatching(UUID),
      keyHash: hashOf('a'),
      allowedModels: ['chat'],
      disabled: false,
      limits: {},
      labels: {},
    });
  });

  it('has what was written', () => {
    const labels = { display_name: 'Ann', team_id: 't', user_id: 'u', user_name: 'n' };
    const written = {
      id: 'c',
      allowed_models: [],
      disabled: true,
      rate_limit: { tpm: 5, concurrency: 0 },
      expires_at: '2027-01-31T13:00:00.5+01:00',
    };
    expect(loadCaller({ ...written, ...labels })).toEqual({
      id: 'c',
      keyHash: hashOf('a'),
      allowedModels: [],
      disabled: true,
      limits: { tpm: 5, concurrency: 0 },
      expiresAtMs: Date.UTC(2027, 0, 31, 12, 0, 0, 500),
      labels,
    });
  });

  it('is nobody when there is no list, and one of nobody is kept apart from that', () => {
    expect(loadRouter(routerOf())).not.toHaveProperty('callers');
    expect(loadRouter(routerOf({ api_keys: [] })).callers).toEqual([]);
  });
});

describe('an id', () => {
  it('is the same for the same name wherever it stands, and differs between names and kinds', () => {
    const idsOf = (...names: string[]) => {
      const models = names.map((display_name) => directModel({ display_name }));
      return loadRouter(routerOf({ models })).models.map(({ id }) => id);
    };
    const [a, b] = idsOf('a', 'b');
    expect(idsOf('b', 'a')).toEqual([b, a]);
    expect(a).not.toBe(b);
    const named = { id: undefined, display_name: 'a' };
    expect(loadDirect({ provider_key_id: undefined, provider_key: 'a' }, named).providerKey.id).not.toBe(a);
  });
});

describe('a loaded router', () => {
  it('is frozen throughout, while the input stays as it was', () => {
    vi.stubEnv('A_KEY', 'x');
    const written = routerOf({
      provider_keys: [
        providerKey({ api_key: '$env://A_KEY', request: { default_body_fields: { a: { b: [] } } } }),
      ],
      api_keys: [callerKey({ rate_limit: { rpm: 1 } })],
    });
    const before = structuredClone(written);
    const loaded = loadRouter(written);
    expect(written).toEqual(before);
    const [model, routed] = loaded.models;
    if (model?.kind !== 'direct' || routed?.kind !== 'routing') throw new Error('Not these models');
    const { request } = model.providerKey;
    const parts = [loaded, loaded.models, model, model.cooldown?.triggerStatuses, model.providerKey, request];
    const others = [request.defaultBodyFields.a, routed.targets, routed.targets[0]?.tags, routed.hashOn[0]];
    const callers = [loaded.callers, loaded.callers?.[0], loaded.callers?.[0]?.limits];
    for (const part of [...parts, ...others, ...callers]) expect(Object.isFrozen(part)).toBe(true);
  });

  it('may be empty', () => {
    expect(loadRouter({ provider_keys: [], models: [] })).toEqual({ models: [] });
  });
});

describe('a router warns', () => {
  const warnings = (config: unknown) => warningsOf(config, loadModelRouter);

  it('of every field that is not known, at its place, and loads all the same', () => {
    const config = routerOf({
      provider_keys: [providerKey({ telemetry_tags: {}, tls: { verfy: false }, request: { headers: {} } })],
      models: [
        directModel({ timeuot: 1, cooldown: { x: 1 } }),
        alias({ targets: [{ model: 'one', wieght: 1 }] }),
      ],
      api_keys: [callerKey({ allowed_agents: ['*'] })],
      later: true,
    });
    expect(warnings(config)).toEqual([
      {
        path: 'provider_keys[0].telemetry_tags',
        message: 'unknown field "telemetry_tags", which does nothing',
      },
      {
        path: 'provider_keys[0].tls.verfy',
        message: 'unknown field "verfy", which does nothing; did you mean "verify"?',
      },
      {
        path: 'provider_keys[0].request.headers',
        message: 'unknown field "headers", which does nothing; did you mean "default_headers"?',
      },
      {
        path: 'models[0].timeuot',
        message: 'unknown field "timeuot", which does nothing; did you mean "timeout"?',
      },
      { path: 'models[0].cooldown.x', message: 'unknown field "x", which does nothing' },
      {
        path: 'models[1].routing.targets[0].wieght',
        message: 'unknown field "wieght", which does nothing; did you mean "weight"?',
      },
      { path: 'api_keys[0].allowed_agents', message: expect.stringContaining('"allowed_agents"') },
      { path: 'later', message: 'unknown field "later", which does nothing' },
    ]);
  });

  it('of nothing in what may hold anything', () => {
    const request = {
      default_headers: { 'x-a': 'b' },
      param_renames: { a: 'b' },
      default_body_fields: { a: { display_nam: 1 } },
    };
    expect(warnings(routerOf({ provider_keys: [providerKey({ request })] }))).toEqual([]);
  });

  it('of keys that requests are refused for, once', () => {
    const key = providerKey({ provider: 'mistral', api_key: undefined });
    const models = [
      directModel({ provider: 'mistral' }),
      directModel({ display_name: 'b', provider: 'mistral' }),
    ];
    expect(warnings(routerOf({ provider_keys: [key], models }))).toEqual([
      { path: 'provider_keys[0].api_key', message: 'missing: requests for its models are refused' },
      {
        path: 'provider_keys[0].api_base',
        message: 'missing, and no address of "mistral" is known: requests for its models are refused',
      },
    ]);
  });

  it('of a model whose key is one of another vendor', () => {
    const models = [directModel({ provider: 'anthropic' })];
    expect(warnings(routerOf({ models }))).toEqual([
      {
        path: 'models[0].provider',
        message: 'is "anthropic", but its provider key is one of "openai", where requests go',
      },
    ]);
  });
});
