import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { loadApisixRouter } from '../../lib/config/load-apisix-router.ts';
import type { LoadedApisixRouter } from '../../lib/config/loaded-apisix-router.ts';
import type { LoadedConfig } from '../../lib/config/loaded-config.ts';
import { load, recordWarnings, warningsOf } from './loading.ts';

const ENVIRONMENT = {
  OPENAI_API_KEY: 'openai-key',
  DEEPSEEK_API_KEY: 'deepseek-key',
  ANTHROPIC_API_KEY: 'anthropic-key',
  AZ_OPENAI_API_KEY: 'azure-key',
  YOUR_LLM_API_KEY: 'own-key',
};

beforeEach(() => {
  for (const [name, value] of Object.entries(ENVIRONMENT)) vi.stubEnv(name, value);
});
afterEach(() => vi.unstubAllEnvs());

/** The Admin API body that a seed document sends. */
function body(name: string) {
  const url = new URL(`../fixtures/seeds/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(url, 'utf8'));
}

/** The plugin's part of it. */
function seed(name: string): unknown {
  return body(name).plugins['ai-proxy-multi'];
}

function outline({ instances }: LoadedConfig): unknown[] {
  return instances.map(({ name, weight, priority, options, auth }) => [
    name,
    weight,
    priority,
    options.model,
    auth.header.Authorization,
  ]);
}

describe('the configurations of the seeds load as they are printed', () => {
  it.each([
    [
      '000-weighted',
      ['gpt-4o-mini', 8, 0, 'gpt-4o-mini', 'Bearer openai-key'],
      ['gpt-4o', 2, 0, 'gpt-4o', 'Bearer openai-key'],
    ],
    [
      '000-failover',
      ['openai-primary', 1, 1, 'gpt-4o', 'Bearer openai-key'],
      ['anthropic-fallback', 1, 2, 'claude-sonnet-4-20250514', 'Bearer anthropic-key'],
    ],
    [
      '001-balanced',
      ['openai', 1, 1, 'gpt-4', 'Bearer openai-key'],
      ['deepseek', 1, 0, 'deepseek-chat', 'Bearer deepseek-key'],
    ],
    [
      '001-priority',
      ['openai', 1, 1, 'gpt-4', 'Bearer openai-key'],
      ['deepseek', 1, 0, 'deepseek-chat', 'Bearer deepseek-key'],
    ],
    [
      '001-compatible',
      ['openai-compatible', 1, 1, 'qwen-plus', 'Bearer openai-key'],
      ['deepseek', 1, 0, 'deepseek-chat', 'Bearer deepseek-key'],
    ],
    [
      '003-load-balance',
      ['openai-instance', 8, 0, 'gpt-4', 'Bearer openai-key'],
      ['deepseek-instance', 2, 0, 'deepseek-chat', 'Bearer deepseek-key'],
    ],
    [
      '003-priority-rate-limiting',
      ['openai-instance', 0, 1, 'gpt-4', 'Bearer openai-key'],
      ['deepseek-instance', 0, 0, 'deepseek-chat', 'Bearer deepseek-key'],
    ],
    [
      '003-consumers-route',
      ['openai-instance', 0, 0, 'gpt-4', 'Bearer openai-key'],
      ['deepseek-instance', 0, 0, 'deepseek-chat', 'Bearer deepseek-key'],
    ],
    [
      '003-max-tokens',
      ['openai-instance', 0, 0, 'gpt-4', 'Bearer openai-key'],
      ['deepseek-instance', 0, 0, 'deepseek-chat', 'Bearer deepseek-key'],
    ],
    [
      '003-embeddings',
      ['openai-instance', 0, 0, 'text-embedding-3-small', 'Bearer openai-key'],
      ['az-openai-instance', 0, 0, 'text-embedding-3-small', 'Bearer azure-key'],
    ],
  ])('%s, without a warning', (name, ...instances) => {
    expect(outline(load(seed(name)))).toEqual(instances);
    expect(warningsOf(seed(name))).toEqual([]);
  });

  it('003-checks, with a warning for each instance that lacks its endpoint', () => {
    expect(outline(load(seed('003-checks')))).toEqual([
      ['llm-instance-1', 0, 0, 'your-llm-model', 'Bearer own-key'],
      ['llm-instance-2', 0, 0, 'your-llm-model', 'Bearer own-key'],
    ]);
    expect(warningsOf(seed('003-checks')).map(({ path }) => path)).toEqual([
      'instances[0].override.endpoint',
      'instances[1].override.endpoint',
    ]);
  });
});

describe('what the seeds ask for beyond their instances', () => {
  it('is fallback on 429 and 5xx in 000-failover', () => {
    expect(load(seed('000-failover')).fallback).toEqual({
      on429: true,
      on5xx: true,
      onRateLimit: false,
      statuses: [],
    });
  });

  it('is fallback by quota in 003-priority-rate-limiting and 003-consumers-route', () => {
    const byQuota = { on429: false, on5xx: false, onRateLimit: true, statuses: [] };
    expect(load(seed('003-priority-rate-limiting')).fallback).toEqual(byQuota);
    expect(load(seed('003-consumers-route')).fallback).toEqual(byQuota);
  });

  it('is every fallback and no passthrough in 001', () => {
    for (const name of ['001-balanced', '001-priority', '001-compatible']) {
      expect(load(seed(name))).toMatchObject({
        fallback: { on429: true, on5xx: true, onRateLimit: true },
        passthrough: false,
      });
    }
  });

  it('is an endpoint with its path and query in 001-compatible and 003-embeddings', () => {
    expect(load(seed('001-compatible')).instances[0]?.endpoint).toBe(
      'https://dashscope.aliyuncs.com/compatible-mode/v1/chat/completions',
    );
    expect(load(seed('003-embeddings')).instances[1]?.endpoint).toBe(
      'https://ai-plugin-developer.openai.azure.com/openai/deployments/text-embedding-3-small/embeddings?api-version=2023-05-15',
    );
  });

  it('is max_tokens for each model in 003-max-tokens', () => {
    expect(load(seed('003-max-tokens')).instances.map(({ options }) => options.max_tokens)).toEqual([
      50, 100,
    ]);
  });

  it('is a health check of the second instance in 003-checks', () => {
    const [first, second] = load(seed('003-checks')).instances;
    expect(first?.checks).toBeUndefined();
    expect(second?.checks?.active).toMatchObject({
      type: 'https',
      host: 'yourhost.com',
      http_path: '/your/probe/path',
      healthy: { interval: 2, successes: 1 },
      unhealthy: { interval: 1, http_failures: 3, timeouts: 3 },
    });
  });
});

describe('the bodies of the seeds load as a router', () => {
  const router = (config: object): LoadedApisixRouter =>
    loadApisixRouter(config, recordWarnings(), { hasSecretResolver: false });

  it.each(['000-weighted', '000-failover', '001-balanced', '001-priority', '001-compatible'])(
    '%s, as it is sent to the Admin API',
    (name) => {
      expect(router({ routes: [body(name)] }).routes).toHaveLength(1);
    },
  );

  it.each([
    '003-load-balance',
    '003-priority-rate-limiting',
    '003-consumers-route',
    '003-max-tokens',
    '003-embeddings',
    '003-checks',
  ])('%s, its proxy as ai-proxy-multi alone', (name) => {
    const { routes } = router({ routes: [body(name)] });
    expect(routes).toMatchObject([
      { id: 'ai-proxy-multi-route', uris: ['/anything'], methods: ['POST'], forwardsAuthorization: false },
    ]);
    expect(routes[0]?.config).toEqual(load(seed(name)));
  });

  it('003-priority-rate-limiting, with its limit', () => {
    const [route] = router({ routes: [body('003-priority-rate-limiting')] }).routes;
    expect(route?.rateLimiting).toMatchObject({
      instances: [{ name: 'openai-instance', limit: 10, timeWindow: 60 }],
      strategy: 'total_tokens',
      rejectedCode: 503,
    });
  });

  it('003-consumers-route, with both consumers and their credentials', () => {
    const consumer = (name: string) => ({
      ...body(`003-consumer-${name}`),
      credentials: [body(`003-consumer-${name}-credential`)],
    });
    const { routes, consumers } = router({
      routes: [body('003-consumers-route')],
      consumers: [consumer('johndoe'), consumer('janedoe')],
    });
    expect(routes[0]?.keyAuth).toMatchObject({ header: 'apikey', query: 'apikey' });
    expect(consumers).toMatchObject([
      {
        username: 'johndoe',
        keys: ['john-key'],
        rateLimiting: {
          instances: [{ name: 'openai-instance', limit: 10, timeWindow: 60 }],
          rejectedCode: 429,
        },
      },
      {
        username: 'janedoe',
        keys: ['jane-key'],
        rateLimiting: {
          instances: [{ name: 'deepseek-instance', limit: 10, timeWindow: 60 }],
          rejectedCode: 429,
        },
      },
    ]);
  });

  it("004, OpenAI first and the local model as the fallback, with the caller's own Authorization", () => {
    const config = {
      routes: [body('004-route')],
      upstreams: [body('004-openai-upstream'), body('004-nemoclaw-upstream')],
    };
    const [route] = router(config).routes;
    expect(route).toMatchObject({
      id: 'llm_route',
      uris: ['/llm/*'],
      methods: undefined,
      forwardsAuthorization: true,
      config: {
        instances: [
          { name: 'openai_upstream', priority: 1, weight: 1, endpoint: 'https://api.openai.com/' },
          { name: 'nemoclaw_upstream', priority: 0, weight: 1, endpoint: 'http://127.0.0.1:8000/' },
        ],
        fallback: { on429: true, on5xx: true, onRateLimit: true },
        max_retries: 1,
        timeout: 60000,
      },
    });
    expect(warningsOf(config, loadApisixRouter)).toEqual([]);
  });
});
