import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventReader } from '../../lib/answer/event-reader.ts';
import { Tally } from '../../lib/answer/tally.ts';
import { protocols } from '../../lib/protocols/index.ts';
import type { Usage } from '../../lib/protocols/protocol.ts';
import { cutAt, cutEvery, cuts, inTwo, passThrough } from './replay.ts';
import {
  bytesOf,
  fixtures,
  type Spelling,
  type StreamFixture,
  spellings,
  withoutUsageEvent,
} from './stream-fixtures.ts';

/** What comes of a stream: the client's bytes, and what the log learns. */
interface Result {
  readonly passed: Buffer;
  readonly usage: Usage | undefined;
  readonly hasToolCalls: boolean;
}

const spelt = Object.keys(spellings).filter((name): name is Spelling => name in spellings);
const modes = [
  { client: 'a client that asked for usage', withholds: false },
  { client: 'a client that did not ask for usage', withholds: true },
];
const cases = fixtures.flatMap((fixture) =>
  spelt.flatMap((spelling) => modes.map((mode) => ({ fixture, spelling, ...mode }))),
);

function replay(fixture: StreamFixture, withholds: boolean, chunks: readonly Buffer[]): Result {
  const tally = new Tally(protocols[fixture.protocol], false);
  const passed = passThrough(new EventReader(tally, withholds), chunks);
  return { passed, usage: tally.usage, hasToolCalls: tally.hasToolCalls };
}

function resultOf(fixture: StreamFixture, passed: Buffer): Result {
  return { passed, usage: fixture.usage, hasToolCalls: fixture.hasToolCalls };
}

function isSame(left: Result, right: Result): boolean {
  return (
    left.passed.equals(right.passed) &&
    left.hasToolCalls === right.hasToolCalls &&
    isDeepStrictEqual(left.usage, right.usage)
  );
}

/** A failure that can be read: text instead of bytes. */
function readable({ passed, ...rest }: Result): Record<string, unknown> {
  return { ...rest, passed: passed.toString() };
}

/**
 * Every cut for the two spellings that servers use. Within a line the others are no different, so for them
 * every cut that touches a line end.
 */
function cutsInTwo(bytes: Buffer, spelling: Spelling): Buffer[][] {
  if (spelling === 'LF' || spelling === 'CRLF') return inTwo(bytes);
  const isLineEnd = (at: number): boolean => bytes[at] === 0x0a || bytes[at] === 0x0d;
  return inTwo(bytes).filter((_, at) => [at - 2, at - 1, at, at + 1].some(isLineEnd));
}

describe.each(cases)('$fixture.name in $spelling, for $client', ({ fixture, spelling, withholds }) => {
  const bytes = bytesOf(fixture.name, spelling);
  const result = resultOf(fixture, withholds ? withoutUsageEvent(fixture, spelling) : bytes);

  it('is passed on and read the same in one piece', () => {
    expect(readable(replay(fixture, withholds, [bytes]))).toEqual(readable(result));
  });

  it('is passed on and read the same when cut in two', () => {
    const wrong = cutsInTwo(bytes, spelling).find(
      (chunks) => !isSame(replay(fixture, withholds, chunks), result),
    );
    expect(wrong?.map((chunk) => chunk.toString())).toBeUndefined();
  });

  it('is passed on and read the same byte by byte', () => {
    expect(readable(replay(fixture, withholds, cutEvery(bytes, 1)))).toEqual(readable(result));
  });

  it('is passed on and read the same at random cuts', () => {
    fc.assert(
      fc.property(cuts(bytes), (at) => isSame(replay(fixture, withholds, cutAt(bytes, at)), result)),
      { numRuns: 40 },
    );
  });
});

describe('a stream that ends without its last blank line', () => {
  const unended = fixtures.flatMap((fixture) =>
    modes.flatMap((mode) => [1, 2].map((missing) => ({ fixture, missing, ...mode }))),
  );

  it.each(unended)('is read to its end: $fixture.name less $missing, for $client', (unendedCase) => {
    const { fixture, missing, withholds } = unendedCase;
    const bytes = bytesOf(fixture.name).subarray(0, -missing);
    // Where the last event is the one that is withheld, nothing is missing from what is left.
    const lastIsWithheld = withholds && fixture.name === 'no-done-chat';
    const whole = withholds ? withoutUsageEvent(fixture) : bytesOf(fixture.name);
    const result = resultOf(fixture, lastIsWithheld ? whole : whole.subarray(0, -missing));
    const wrong = inTwo(bytes).find((chunks) => !isSame(replay(fixture, withholds, chunks), result));
    expect(wrong?.map((chunk) => chunk.toString())).toBeUndefined();
  });
});

describe('the text of a stream', () => {
  it.each(fixtures)('is gathered whole from $name, however it is cut', (fixture) => {
    const bytes = bytesOf(fixture.name);
    const texts = [...inTwo(bytes), cutEvery(bytes, 1)].map((chunks) => {
      const tally = new Tally(protocols[fixture.protocol], true);
      passThrough(new EventReader(tally, false), chunks);
      return tally.text;
    });
    expect(new Set(texts)).toEqual(new Set([fixture.content]));
  });
});

describe('a byte-order mark in front of a stream', () => {
  const usage = 'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}\n\n';
  const text = 'data: {"choices":[{"delta":{"content":"Hi"}}]}\n\n';

  function everyCut(stream: string, withholds: boolean): unknown[] {
    const bytes = Buffer.from(stream);
    const results = [[bytes], ...inTwo(bytes), cutEvery(bytes, 1)].map((chunks) => {
      const tally = new Tally(protocols['openai-chat'], false);
      const passed = passThrough(new EventReader(tally, withholds), chunks).toString();
      return JSON.stringify([passed, tally.usage?.totalTokens]);
    });
    return [...new Set(results)].map((result) => JSON.parse(result));
  }

  it.each([usage + text, text + usage, usage, usage.replaceAll('\n', '\r\n') + text])(
    'passes, and does not hide the usage of %j',
    (stream) => {
      expect(everyCut(`\ufeff${stream}`, false)).toEqual([[`\ufeff${stream}`, 5]]);
    },
  );

  it.each([usage + text, text + usage])('passes where the usage is withheld, from %j', (stream) => {
    expect(everyCut(`\ufeff${stream}`, true)).toEqual([[`\ufeff${text}`, 5]]);
  });

  it('is part of a line anywhere else', () => {
    expect(everyCut(`${text}\ufeff${usage}`, true)).toEqual([[`${text}\ufeff${usage}`, null]]);
  });

  it('is part of a line behind an event too long to be read', () => {
    const tally = new Tally(protocols['openai-chat'], false);
    const long = Buffer.alloc(2 * 1024 * 1024, 'x');
    passThrough(new EventReader(tally, false), [long, Buffer.from('\n\n'), Buffer.from(`\ufeff${usage}`)]);
    expect(tally.usage).toBeUndefined();
  });
});
