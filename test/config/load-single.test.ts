import { describe, expect, it } from 'vitest';
import { loadSingleConfig } from '../../lib/config/load-config.ts';
import { faultsOf, loadSingle, pathsOf } from './loading.ts';

describe('ai-proxy', () => {
  it('is a configuration of one instance', () => {
    const config = {
      provider: 'deepseek',
      auth: { header: { Authorization: 'Bearer x' } },
      options: { model: 'deepseek-chat' },
      override: { endpoint: 'http://localhost:8000', llm_options: { max_tokens: 9 } },
      timeout: 5,
      max_response_bytes: 6,
      logging: { summaries: true },
    };
    expect(loadSingle(config)).toEqual({
      instances: [
        {
          name: 'ai-proxy-deepseek',
          provider: 'deepseek',
          priority: 0,
          weight: 1,
          auth: { header: { Authorization: 'Bearer x' }, query: {} },
          options: { model: 'deepseek-chat' },
          endpoint: 'http://localhost:8000/',
          maxTokens: 9,
          requestBody: {},
          forceRequestBody: false,
        },
      ],
      balancer: { algorithm: 'roundrobin', hash_on: 'vars' },
      fallback: { on429: false, on5xx: false, onRateLimit: false, statuses: [] },
      timeout: 5,
      max_req_body_size: 67108864,
      max_response_bytes: 6,
      keepalive: true,
      keepalive_timeout: 60000,
      keepalive_pool: 30,
      ssl_verify: true,
      logging: { summaries: true, payloads: false },
      passthrough: false,
    });
  });

  it('has no fallback, no balancer and no health checks, whatever unknown fields there are', () => {
    const loaded = loadSingle({
      provider: 'openai',
      auth: {},
      fallback_strategy: ['http_429'],
      balancer: { algorithm: 'chash', key: 'uri' },
      checks: {},
      name: 'other',
      weight: 7,
    });
    expect(loaded.fallback.on429).toBe(false);
    expect(loaded.balancer.algorithm).toBe('roundrobin');
    expect(loaded.instances[0]).toMatchObject({ name: 'ai-proxy-openai', weight: 1 });
    expect(loaded.instances[0]?.checks).toBeUndefined();
  });

  it('has its faults at the top level', () => {
    const config = {
      provider: 'opnai',
      auth: { header: { a: '$env://NOT_THERE' } },
      override: { endpoint: 'x' },
    };
    expect(pathsOf(config, loadSingleConfig)).toEqual(['provider', 'override.endpoint', 'auth.header.a']);
  });

  it('requires a provider and an auth', () => {
    expect(pathsOf({}, loadSingleConfig)).toEqual(['provider', 'auth']);
    expect(faultsOf(undefined, loadSingleConfig)).toEqual([
      { path: '', message: 'is nothing, must be an object' },
    ]);
  });
});
