import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventEnd, eventStart, nextData } from '../../lib/answer/event-lines.ts';
import { EventBoundaries, splitEvents } from '../../lib/answer/sse.ts';

const streams = fc
  .array(fc.constantFrom('data: a', 'x', '\n', '\r', '\r\n', '\n\n', '\r\n\r\n'), { maxLength: 20 })
  .map((pieces) => pieces.join(''));

/** Of more than one blank line between two events, it is no matter whose the others are. */
const EMPTY_LINES = /^[\r\n]+/;

describe('the event around a byte within a line', () => {
  it('starts and ends where splitting the stream says', () => {
    fc.assert(
      fc.property(streams, (text) => {
        const bytes = Buffer.from(text);
        for (const { start, end } of splitEvents(text)) {
          for (let at = start; at < end; at++) {
            if (text[at] === '\n' || text[at] === '\r') continue;
            const event = bytes.toString('latin1', eventStart(bytes, 0, at), eventEnd(bytes, at));
            expect(event.replace(EMPTY_LINES, '')).toBe(text.slice(start, end).replace(EMPTY_LINES, ''));
          }
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('starts where looking for it has started, if no blank line comes between', () => {
    const bytes = Buffer.from('data: a\n\ndata: b\ndata: c\n\n');
    expect([eventStart(bytes, 12, 20), eventStart(bytes, 8, 20), eventStart(bytes, 7, 20)]).toEqual([
      12, 8, 9,
    ]);
  });
});

describe('the next line of data', () => {
  it.each([
    ['data: a\n\n', 5],
    ['data:a', 5],
    ['id: 1\r\n: c\rdata: a\n\n', 16],
    ['data\ndata:\n\n', 10],
    ['id: 1\n\ndata: a\n\n', -1],
    ['\ndata: a\n\n', -1],
    ['database: 1\n', -1],
    ['dat', -1],
    ['', -1],
  ])('of %j is at %i', (text, at) => {
    expect(nextData(Buffer.from(text), 0)).toBe(at);
  });
});

describe('following a stream to its first boundary', () => {
  it('goes no further, and knows where it is', () => {
    const boundaries = new EventBoundaries();
    boundaries.follow(Buffer.from('data: a\r'));
    expect(boundaries.followFirst(Buffer.from('\ndata: b'))).toBe(0);
    expect(boundaries.followFirst(Buffer.from('\n\ndata: c\n\n'))).toBe(2);
    expect(boundaries.atBoundary).toBe(true);
    expect(boundaries.followFirst(Buffer.from('data: c\r\n\r\ndata: d\n\n'))).toBe(10);
    expect(boundaries.mayOweLineFeed).toBe(true);
  });
});
