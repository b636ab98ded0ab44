import { describe, expect, it } from 'vitest';
import { Tally } from '../../lib/answer/tally.ts';
import { protocols } from '../../lib/protocols/index.ts';

describe('usage that is reported more than once', () => {
  it('keeps the prompt of the start and the length of the end', () => {
    const tally = new Tally(protocols['anthropic-messages'], false);
    tally.read({ message: { usage: { input_tokens: 25, output_tokens: 1, cache_read_input_tokens: 7 } } });
    tally.read({ usage: { output_tokens: 15 } });
    expect(tally.usage).toMatchObject({ promptTokens: 25, completionTokens: 15, cacheReadInputTokens: 7 });
  });

  it('is not wiped out by a later report of zeros', () => {
    const tally = new Tally(protocols['anthropic-messages'], false);
    tally.read({ message: { usage: { input_tokens: 25, output_tokens: 1 } } });
    tally.read({ usage: { input_tokens: 0, output_tokens: 15 } });
    expect(tally.usage?.promptTokens).toBe(25);
  });

  it('is not wiped out by a later report of nulls', () => {
    const tally = new Tally(protocols['anthropic-messages'], false);
    tally.read({ message: { usage: { input_tokens: 25, output_tokens: 1, cache_read_input_tokens: 7 } } });
    tally.read({ usage: { input_tokens: null, cache_read_input_tokens: null, output_tokens: 15 } });
    expect(tally.usage).toMatchObject({ promptTokens: 25, completionTokens: 15, cacheReadInputTokens: 7 });
    expect(tally.rawUsage).toEqual({ input_tokens: 25, output_tokens: 15, cache_read_input_tokens: 7 });
  });

  it('takes the later of two counts, as a server that counts on sends them', () => {
    const tally = new Tally(protocols['openai-chat'], false);
    for (const count of [1, 2, 3]) {
      tally.read({
        choices: [],
        usage: { prompt_tokens: 5, completion_tokens: count, total_tokens: 5 + count },
      });
    }
    expect(tally.usage).toMatchObject({ promptTokens: 5, completionTokens: 3, totalTokens: 8 });
  });

  it('keeps a hundred fields, however many an upstream thinks of', () => {
    const tally = new Tally(protocols['openai-chat'], false);
    tally.read({ usage: { prompt_tokens: 5, completion_tokens: 1, total_tokens: 6 } });
    for (let index = 0; index < 20_000; index++) tally.read({ usage: { [`field-${index}`]: index } });
    tally.read({ usage: { prompt_tokens: 5, completion_tokens: 3, total_tokens: 8 } });
    expect(Object.keys(tally.rawUsage ?? {})).toHaveLength(100);
    expect(tally.usage).toMatchObject({ promptTokens: 5, completionTokens: 3, totalTokens: 8 });
  });

  it('takes a field called __proto__ for one like any other', () => {
    const tally = new Tally(protocols['openai-chat'], false);
    tally.readText('{"usage":{"__proto__":{"total_tokens":7},"prompt_tokens":5}}');
    expect(tally.usage).toMatchObject({ promptTokens: 5, totalTokens: 5 });
  });

  it('keeps a report of nothing but zeros as a report', () => {
    const tally = new Tally(protocols['openai-chat'], false);
    tally.read({ usage: { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 } });
    expect(tally.usage?.totalTokens).toBe(0);
  });
});

describe('usage of something that is passed through', () => {
  it('is read by the names that hold numbers', () => {
    const tally = new Tally(protocols.passthrough, false);
    tally.read({ usage: { prompt_tokens: null, input_tokens: 3, output_tokens: 2, total_tokens: 5 } });
    expect(tally.usage).toMatchObject({ promptTokens: 3, completionTokens: 2, totalTokens: 5 });
  });
});

describe('usage without a total', () => {
  const counts = { prompt_tokens: 10, completion_tokens: 5, input_tokens: 10, output_tokens: 5 };

  it.each(['openai-chat', 'openai-embeddings', 'openai-responses'] as const)(
    'comes to the sum of its parts: %s',
    (name) => {
      for (const total of [{}, { total_tokens: null }, { total_tokens: '15' }]) {
        const tally = new Tally(protocols[name], false);
        tally.read({ usage: { ...counts, ...total } });
        expect(tally.usage?.totalTokens).toBe(15);
      }
    },
  );
});

describe('an upstream that means harm', () => {
  it('cannot pollute a prototype through its usage', () => {
    const tally = new Tally(protocols['openai-chat'], true);
    tally.readText('{"usage":{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}}');
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
    expect(tally.usage?.totalTokens).toBe(0);
  });

  it('cannot make the text that is kept grow beyond a mebibyte', () => {
    const tally = new Tally(protocols['openai-chat'], true);
    for (let count = 0; count < 40; count++) {
      tally.read({ choices: [{ delta: { content: 'x'.repeat(100_000) } }] });
    }
    expect(tally.text).toHaveLength(1024 * 1024);
  });
});
