import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventBoundaries, splitEvents } from '../../lib/answer/sse.ts';
import { cutAt, cutEvery, cuts, inTwo } from './replay.ts';
import { bytesOf, fixtures, type Spelling, spellings } from './stream-fixtures.ts';

const spelt = Object.keys(spellings).filter((name): name is Spelling => name in spellings);

describe('the data of an event', () => {
  it.each([
    { text: 'data: a\n\n', data: ['a'] },
    { text: 'data:a\n\n', data: ['a'] },
    { text: 'data:  a\n\n', data: [' a'] },
    { text: 'data: a\ndata: b\n\n', data: ['a\nb'] },
    { text: 'data\n\n', data: [''] },
    { text: 'data:\ndata\n\n', data: ['\n'] },
    { text: ': comment\n\n', data: [undefined] },
    { text: 'event: ping\nid: 1\nretry: 5\n\n', data: [undefined] },
    { text: 'database: a\n\n', data: [undefined] },
    { text: ' data: a\n\n', data: [undefined] },
    { text: 'event: e\r\ndata: a\r\n\r\ndata: b\r\n\r\n', data: ['a', 'b'] },
    { text: 'data: a\rdata: b\r\rdata: c\r\r', data: ['a\nb', 'c'] },
    { text: 'data: a\r\n\ndata: b\n\r\ndata: c\r\r\ndata: d\n\r', data: ['a', 'b', 'c', 'd'] },
    { text: 'data: a\r\ndata: b', data: ['a\nb'] },
    { text: 'data: a: b\n\n', data: ['a: b'] },
    { text: '', data: [] },
  ])('of $text is $data', ({ text, data }) => {
    expect(splitEvents(text).map((event) => event.data)).toEqual(data);
  });

  it('stands where its offsets say', () => {
    const text = 'data: a\r\n\r\n: c\n\ndata: b';
    expect(splitEvents(text).map(({ start, end }) => text.slice(start, end))).toEqual([
      'data: a\r\n\r\n',
      ': c\n\n',
      'data: b',
    ]);
  });
});

/** The last boundary found, as an offset into the whole stream. */
function lastBoundary(chunks: readonly Buffer[]): number {
  const boundaries = new EventBoundaries();
  let at = 0;
  let last = 0;
  for (const chunk of chunks) {
    const end = boundaries.follow(chunk);
    if (end > 0) last = at + end;
    at += chunk.length;
  }
  return last;
}

const streams = fixtures.flatMap(({ name }) => spelt.map((spelling) => ({ name, spelling })));

describe.each(streams)('the boundaries of $name in $spelling', ({ name, spelling }) => {
  const bytes = bytesOf(name, spelling);

  it('are found wherever the stream is cut in two', () => {
    const boundaries = inTwo(bytes).map((chunks) => lastBoundary(chunks));
    expect(new Set(boundaries)).toEqual(new Set([bytes.length]));
  });

  it('are found byte by byte, at the same places as in the whole', () => {
    const boundaries = new EventBoundaries();
    const found: number[] = [];
    cutEvery(bytes, 1).forEach((chunk, index) => {
      // The line feed of a CRLF still belongs to the blank line before it.
      if (boundaries.mayOweLineFeed && chunk[0] === 0x0a) found.pop();
      if (boundaries.follow(chunk) > 0) found.push(index + 1);
    });
    expect(found).toEqual(splitEvents(bytes.toString('latin1')).map(({ end }) => end));
  });

  it('are found at random cuts', () => {
    fc.assert(fc.property(cuts(bytes), (at) => lastBoundary(cutAt(bytes, at)) === bytes.length));
  });
});

describe('a stream between two events', () => {
  it.each([
    { bytes: '', isAtBoundary: true },
    { bytes: 'data: a', isAtBoundary: false },
    { bytes: 'data: a\n', isAtBoundary: false },
    { bytes: 'data: a\r\n', isAtBoundary: false },
    { bytes: 'data: a\n\n', isAtBoundary: true },
    { bytes: 'data: a\r\n\r', isAtBoundary: true },
    { bytes: 'data: a\r\n\r\n', isAtBoundary: true },
    { bytes: 'data: a\r\r', isAtBoundary: true },
    { bytes: 'data: a\n\ndata: b', isAtBoundary: false },
  ])('is told from one within an event: $bytes', ({ bytes, isAtBoundary }) => {
    const whole = new EventBoundaries();
    whole.follow(Buffer.from(bytes));
    const byByte = new EventBoundaries();
    for (const byte of cutEvery(Buffer.from(bytes), 1)) byByte.follow(byte);
    expect([whole.atBoundary, byByte.atBoundary]).toEqual([isAtBoundary, isAtBoundary]);
  });
});
