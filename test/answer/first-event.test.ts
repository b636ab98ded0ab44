import { describe, expect, it } from 'vitest';
import { FirstEvent } from '../../lib/answer/first-event.ts';
import { cutEvery, inTwo } from './replay.ts';

/** The first event's data, looked for until it is there. */
function firstData(chunks: readonly Buffer[]): string | undefined {
  const first = new FirstEvent();
  for (const chunk of chunks) {
    const data = first.push(chunk);
    if (data !== undefined) return data;
  }
  return undefined;
}

describe('the first event of a stream', () => {
  it.each([
    { text: 'data: a\n\ndata: b\n\n', data: 'a' },
    { text: ': OPENROUTER PROCESSING\n\n: again\n\ndata: a\n\n', data: 'a' },
    { text: 'event: error\r\ndata: {"error":\r\ndata: "世界"}\r\n\r\n', data: '{"error":\n"世界"}' },
    { text: 'retry: 100\r\rdata: a\r\rdata: b\r\r', data: 'a' },
    { text: '\n\ndata: a\n\n', data: 'a' },
    { text: '\ufeffdata: a\n\ndata: b\n\n', data: 'a' },
    { text: '\ufeff\ndata: a\n\ndata: b\n\n', data: 'a' },
    { text: '\ufeff: comment\r\n\r\ndata: a\r\n\r\n', data: 'a' },
    { text: '\ufeff\ufeffdata: a\n\ndata: b\n\n', data: 'b' },
    { text: ': comment\n\n\ufeffdata: a\n\ndata: b\n\n', data: 'b' },
  ])('is found behind comments, wherever the bytes are cut: $text', ({ text, data }) => {
    const bytes = Buffer.from(text);
    const found = [...inTwo(bytes), cutEvery(bytes, 1)].map(firstData);
    expect(new Set(found)).toEqual(new Set([data]));
  });

  it.each(['', 'data: a', 'data: a\n', ': comment\n\n: comment\n\n', 'event: ping\n\n'])(
    'is waited for while it is not complete: %o',
    (text) => {
      expect(firstData(cutEvery(Buffer.from(text), 1))).toBeUndefined();
    },
  );

  it.each([
    ['data: a', 'a'],
    ['\ufeffdata: a\n', 'a'],
    [': comment\n\nevent: error\ndata: a', 'a'],
    ['', undefined],
    [': comment\n\n', undefined],
  ])('is complete when the stream ends: %o', (text, data) => {
    const first = new FirstEvent();
    for (const chunk of cutEvery(Buffer.from(text), 1)) first.push(chunk);
    expect(first.end()).toBe(data);
  });
});
