import { describe, expect, it } from 'vitest';
import { PlainReader } from '../../lib/answer/plain-reader.ts';
import { Tally } from '../../lib/answer/tally.ts';
import { protocols } from '../../lib/protocols/index.ts';
import type { ProtocolName } from '../../lib/protocols/protocol.ts';
import { chatAnswer } from '../support/upstream.ts';
import { cutEvery, inTwo, passThrough } from './replay.ts';

function read(protocol: ProtocolName, chunks: readonly Buffer[], keepsText = false): Tally {
  const tally = new Tally(protocols[protocol], keepsText);
  passThrough(new PlainReader(tally), chunks);
  return tally;
}

/** An answer with this many bytes of text in it, usage last. */
function longAnswer(length: number, message: Record<string, unknown> = {}): Buffer {
  return Buffer.from(
    JSON.stringify({
      choices: [{ message: { content: 'é'.repeat(length / 2), ...message } }],
      usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
    }),
  );
}

describe('usage in a plain answer', () => {
  it('is the same wherever the answer is cut', () => {
    const bytes = Buffer.from(JSON.stringify(chatAnswer('m', '世界 "usage": {}'), null, 1));
    const totals = [...inTwo(bytes), cutEvery(bytes, 1)].map(
      (chunks) => read('openai-chat', chunks).usage?.totalTokens,
    );
    expect(new Set(totals)).toEqual(new Set([31]));
  });

  it.each([100, 100_000, 3_000_000, 6_000_000])('is read from an answer of %i bytes', (length) => {
    expect(read('openai-chat', cutEvery(longAnswer(length), 65_536)).usage?.totalTokens).toBe(5);
  });

  it.each([6_000_001, 6_000_017, 6_004_096])(
    'is read from the end of a long answer, wherever a chunk cuts it (%i)',
    (length) => {
      const bytes = longAnswer(length - (length % 2));
      for (const size of [61, 4095, 4096, 4097, 60_000]) {
        expect(read('openai-chat', cutEvery(bytes, size)).usage?.totalTokens).toBe(5);
      }
    },
  );

  it.each([
    ['not JSON', '<html>"usage": {"total_tokens": 9}</html>'],
    ['a list', '[{"usage":{"total_tokens":9}}]'],
    ['cut off', '{"usage":{"total_tokens":9}'],
    ['usage null', '{"usage":null}'],
    ['usage a list', '{"usage":[1]}'],
    ['nothing', ''],
  ])('is not there where the answer is no object that holds it: %s', (_, text) => {
    expect(read('openai-chat', [Buffer.from(text)]).usage).toBeUndefined();
  });

  it.each([
    ['text', '"9"', 0],
    ['negative', '-9', 0],
    ['too large a number', '1e999', 0],
    ['null', 'null', 0],
    ['a count', '9', 9],
  ])('counts only numbers of tokens: %s', (_, value, expected) => {
    const text = `{"usage":{"prompt_tokens":${value},"completion_tokens":0,"total_tokens":${value}}}`;
    expect(read('openai-chat', [Buffer.from(text)]).usage?.promptTokens).toBe(expected);
  });
});

describe('tool calls in a plain answer', () => {
  it.each([100, 100_000])('are seen in an answer of %i bytes', (length) => {
    const calls = { tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }] };
    const flags = [{}, { tool_calls: [] }, calls].map(
      (message) => read('openai-chat', [longAnswer(length, message)]).hasToolCalls,
    );
    expect(flags).toEqual([false, false, true]);
  });

  it('are seen in what Anthropic and the Responses API answer', () => {
    const anthropic = { content: [{ type: 'tool_use', id: 't', name: 'f', input: {} }] };
    const responses = { output: [{ type: 'function_call', name: 'f', arguments: '{}' }] };
    expect([
      read('anthropic-messages', [Buffer.from(JSON.stringify(anthropic))]).hasToolCalls,
      read('openai-responses', [Buffer.from(JSON.stringify(responses))]).hasToolCalls,
    ]).toEqual([true, true]);
  });
});

describe('the text of a plain answer', () => {
  it.each([
    ['openai-chat', { choices: [{ message: { content: 'Hi' } }] }],
    [
      'anthropic-messages',
      { content: [{ type: 'text', text: 'H' }, { type: 'tool_use' }, { type: 'text', text: 'i' }] },
    ],
    ['openai-responses', { output: [{ type: 'message', content: [{ type: 'output_text', text: 'Hi' }] }] }],
  ] as const)('is gathered for %s when payloads are logged', (protocol, answer) => {
    expect(read(protocol, [Buffer.from(JSON.stringify(answer))], true).text).toBe('Hi');
  });

  it('is not gathered otherwise', () => {
    expect(read('openai-chat', [Buffer.from(JSON.stringify(chatAnswer('m')))]).text).toBe('');
  });
});
