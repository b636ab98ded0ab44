import { describe, expect, it } from 'vitest';
import type { AiProxyConfig } from '../../lib/config/generated/ai-proxy.ts';
import type { AiRateLimitingConfig } from '../../lib/config/generated/ai-rate-limiting.ts';
import type { ApisixRouterConfig } from '../../lib/config/generated/apisix-router.ts';
import type { CallerKeyConfig } from '../../lib/config/generated/caller-key.ts';
import type { ConsumerConfig } from '../../lib/config/generated/consumer.ts';
import type { KeyAuthConfig } from '../../lib/config/generated/key-auth.ts';
import type { ModelConfig } from '../../lib/config/generated/model.ts';
import type { ModelRouterConfig } from '../../lib/config/generated/model-router.ts';
import type { ProviderKeyConfig } from '../../lib/config/generated/provider-key.ts';
import { loadApisixRouter } from '../../lib/config/load-apisix-router.ts';
import { loadConsumers } from '../../lib/config/load-consumers.ts';
import { loadKeyAuth } from '../../lib/config/load-key-auth.ts';
import { loadModelRouter } from '../../lib/config/load-model-router.ts';
import { loadRateLimiting } from '../../lib/config/load-rate-limiting.ts';
import type { AiProxyMultiInput } from '../../lib/config/multi-input.ts';
import { load, loadSingle, recordWarnings } from './loading.ts';

const modern: AiProxyMultiInput = {
  fallback_strategy: ['http_429', 'http_5xx'],
  instances: [
    {
      name: 'a',
      provider: 'openai',
      weight: 8,
      auth: { header: { a: 'b' } },
      options: { model: 'm', top_p: 1 },
    },
  ],
};

const early: AiProxyMultiInput = {
  providers: [{ name: 'openai', model: 'gpt-4', auth: {} }],
  passthrough: true,
};

const single: AiProxyConfig = { provider: 'openai', auth: {} };

const limits: AiRateLimitingConfig = {
  limit: 100,
  time_window: '$http_x_window',
  policy: 'redis-sentinel',
  redis_sentinels: [{ host: 'one.example.com', port: 26379 }],
  redis_master_name: 'main',
};

const gate: KeyAuthConfig = { header: 'x-key', anonymous_consumer: 'jane' };

const consumer: ConsumerConfig = {
  username: 'jane',
  plugins: { 'key-auth': { key: 'k' }, 'ai-rate-limiting': { ...limits, _meta: { disable: false } } },
  credentials: [{ id: 'second', plugins: { 'key-auth': { key: 'l' } } }],
};

const router: ApisixRouterConfig = {
  routes: [
    { uri: '/a', plugins: { 'key-auth': gate, 'ai-proxy-multi': modern } },
    { uris: ['/b'], methods: ['POST'], plugins: { 'ai-proxy-multi': early, 'ai-rate-limiting': limits } },
    { id: 3, paths: ['/c'], plugins: { 'ai-proxy': { ...single, _meta: { disable: false } } } },
    { uri: '/d', status: 0, plugins: { 'ai-proxy': { upstream_id: 'one', retry: 1 } } },
  ],
  consumers: [consumer],
  upstreams: {
    one: { nodes: { 'a:1': 1 }, scheme: 'https' },
    two: { nodes: [{ host: 'a', port: 1, weight: 1 }] },
  },
};

const vendorKey: ProviderKeyConfig = {
  display_name: 'openai',
  provider: 'openai',
  api_key: 'k',
  request: { default_headers: { 'x-a': 'b' }, param_constraints: { temperature_max: 1 } },
};

const direct: ModelConfig = {
  display_name: 'one',
  provider: 'openai',
  model_name: 'gpt-4o',
  provider_key: 'openai',
  cooldown: { trigger_statuses: [429] },
  cost: { input_per_1k: 1, output_per_1k: 2 },
};

const caller: CallerKeyConfig = { key_hash: '0'.repeat(64), allowed_models: ['*'], rate_limit: { rpm: 5 } };

const modelRouter: ModelRouterConfig = {
  provider_keys: [vendorKey],
  models: [
    direct,
    {
      display_name: 'chat',
      routing: {
        strategy: 'weighted',
        targets: [{ model: 'one', weight: 2 }],
        hash_on: [{ type: 'client_ip' }],
      },
    },
  ],
  api_keys: [caller],
};

describe('what the types allow', () => {
  it('is what the loader accepts', () => {
    expect(() => load(modern)).not.toThrow();
    expect(() => load(early)).not.toThrow();
    expect(() => loadSingle(single)).not.toThrow();
  });

  it('is what the loaders of the other configurations accept', () => {
    const options = { hasSecretResolver: false };
    expect(() => loadRateLimiting(limits, recordWarnings(), options)).not.toThrow();
    expect(() => loadKeyAuth(gate, recordWarnings())).not.toThrow();
    expect(() => loadConsumers([consumer], recordWarnings(), options)).not.toThrow();
    expect(() => loadApisixRouter(router, recordWarnings(), options)).not.toThrow();
    expect(() => loadModelRouter(modelRouter, recordWarnings(), options)).not.toThrow();
  });

  it('is nothing that is not supported, and no plugin that is not known', () => {
    const wrong: ApisixRouterConfig['routes'] = [
      // @ts-expect-error a condition that is not supported
      { uri: '/a', vars: [], plugins: { 'ai-proxy': single } },
      // @ts-expect-error a plugin that is not known
      { uri: '/a', plugins: { 'ai-proxy': single, cors: {} } },
      // @ts-expect-error a method that is none
      { uri: '/a', methods: ['post'], plugins: { 'ai-proxy': single } },
      // @ts-expect-error the plugins are missing
      { uri: '/a' },
    ];
    const nobody: ConsumerConfig[] = [
      // @ts-expect-error the username is missing
      {},
      // @ts-expect-error the key is missing
      { username: 'a', plugins: { 'key-auth': {} } },
    ];
    expect([...Object.values(wrong), ...nobody]).toHaveLength(6);
  });

  it('is no model that is not supported, and no part of a router without its name', () => {
    const wrong: ModelRouterConfig[] = [
      // @ts-expect-error what is not supported
      { provider_keys: [], models: [{ display_name: 'a', ensemble: {} }] },
      // @ts-expect-error a strategy that does not exist
      { provider_keys: [], models: [{ display_name: 'a', routing: { strategy: 'random', targets: [] } }] },
      // @ts-expect-error an adapter that is not supported
      { provider_keys: [{ display_name: 'a', adapter: 'bedrock' }], models: [] },
      // @ts-expect-error the hash is missing
      { provider_keys: [], models: [], api_keys: [{ allowed_models: [] }] },
    ];
    expect(wrong).toHaveLength(4);
  });

  it('is no misspelt field, no unknown provider and no missing weight', () => {
    const wrong: AiProxyMultiInput[] = [
      // @ts-expect-error a field that does not exist
      { instances: [], timeuot: 1 },
      // @ts-expect-error a provider that does not exist
      { instances: [{ name: 'a', provider: 'opnai', weight: 1, auth: {} }] },
      // @ts-expect-error the weight is missing
      { instances: [{ name: 'a', provider: 'openai', auth: {} }] },
    ];
    expect(wrong).toHaveLength(3);
  });
});
