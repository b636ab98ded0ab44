import { describe, expect, it } from 'vitest';
import { didYouMean, suggest } from '../../lib/config/suggest.ts';

const providers = ['openai', 'deepseek', 'anthropic', 'openai-compatible', 'azure-openai'];

describe('suggest', () => {
  it.each([
    ['openia', providers, 'openai'],
    ['Open_AI', providers, 'openai'],
    ['deepseak', providers, 'deepseek'],
    ['antropic', providers, 'anthropic'],
    ['openaicompatible', providers, 'openai-compatible'],
    ['azure', providers, 'azure-openai'],
    ['wieght', ['weight', 'name'], 'weight'],
    ['prio', ['priority', 'provider'], 'priority'],
    ['kye', ['key', 'hash_on'], 'key'],
    ['maxRetries', ['max_retries', 'timeout'], 'max_retries'],
    ['mistral', providers, undefined],
    ['_meta', ['name', 'weight', 'key'], undefined],
    ['zone', ['name', 'auth'], undefined],
    ['', providers, undefined],
    ['x'.repeat(10_000), providers, undefined],
    ['openai', [], undefined],
  ])('%s: of %j it is %s', (word, candidates, expected) => {
    expect(suggest(word, candidates)).toBe(expected);
  });
});

describe('didYouMean', () => {
  it('asks, or says nothing', () => {
    expect(didYouMean('openia', providers)).toBe('; did you mean "openai"?');
    expect(didYouMean('mistral', providers)).toBe('');
  });
});
