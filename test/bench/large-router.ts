import { createHash } from 'node:crypto';
import type { ModelRouterConfig } from 'ai-proxy-multi';

function namesOf(noun: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${noun}-${index}`);
}

export function hashOf(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

/** The keys of the callers of a large router. */
export function callerKeys(count: number): readonly string[] {
  return namesOf('caller-key', count);
}

/** A router with so many models, nine tenths of them direct ones, and so many callers, who may use some of them. */
export function largeRouter(models: number, callers: number): ModelRouterConfig {
  const direct = namesOf('direct', Math.ceil(models * 0.9));
  const aliases = namesOf('alias', models - direct.length);
  const target = (index: number) => ({ model: direct[index % direct.length] ?? '', weight: 1 + (index % 3) });
  return {
    provider_keys: namesOf('vendor', 10).map((name) => {
      return {
        id: name,
        display_name: name,
        provider: 'openai',
        api_key: name,
        api_base: 'http://127.0.0.1:9/v1',
      };
    }),
    models: [
      ...direct.map((name, index) => {
        const key = `vendor-${index % 10}`;
        return { display_name: name, provider: 'openai', model_name: name, provider_key_id: key };
      }),
      ...aliases.map((name, index) => {
        const targets = [target(index * 3), target(index * 3 + 1), target(index * 3 + 2)];
        return { display_name: name, routing: { strategy: 'round_robin' as const, targets } };
      }),
    ],
    api_keys: callerKeys(callers).map((key, index) => {
      const allowed = ['alias-*', `direct-${index % direct.length}`];
      return { key_hash: hashOf(key), allowed_models: allowed, rate_limit: { rpm: 1000 } };
    }),
  };
}
