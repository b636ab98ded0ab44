import { describe, expect, it } from 'vitest';
import type { AiProxyConfig } from '../../lib/config/generated/ai-proxy.ts';
import type { AiProxyMultiInput } from '../../lib/config/multi-input.ts';
import { load, loadSingle } from './loading.ts';

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

describe('what the types allow', () => {
  it('is what the loader accepts', () => {
    expect(() => load(modern)).not.toThrow();
    expect(() => load(early)).not.toThrow();
    expect(() => loadSingle(single)).not.toThrow();
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
