import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LoadedConfig } from '../../lib/config/loaded-config.ts';
import { load, warningsOf } from './loading.ts';

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

/** The plugin's part of the Admin API body that a seed document sends. */
function seed(name: string): unknown {
  const url = new URL(`../fixtures/seeds/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(url, 'utf8')).plugins['ai-proxy-multi'];
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
