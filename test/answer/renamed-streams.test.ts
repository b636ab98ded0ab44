import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventReader, type EventReaderOptions } from '../../lib/answer/event-reader.ts';
import { makeReader } from '../../lib/answer/make-reader.ts';
import { modelRename } from '../../lib/answer/model-name.ts';
import { Tally } from '../../lib/answer/tally.ts';
import { protocols } from '../../lib/protocols/index.ts';
import type { ProtocolName } from '../../lib/protocols/protocol.ts';
import { cutAt, cutEvery, cuts, inTwo, passThrough } from './replay.ts';
import { bytesOf, fixtures, type Spelling, spellings, withoutUsageEvent } from './stream-fixtures.ts';

const spelt = Object.keys(spellings).filter((name): name is Spelling => name in spellings);
const cases = fixtures.flatMap((fixture) =>
  spelt.flatMap((spelling) => [false, true].map((withholds) => ({ fixture, spelling, withholds }))),
);

function named(protocol: ProtocolName, name = 'chat-prod'): EventReaderOptions {
  return { rename: modelRename(protocols[protocol], name) };
}

/** In the recorded streams, every model stands where the protocol puts it. */
function renamed(bytes: Buffer): string {
  return bytes.toString().replaceAll(/"model":"[^"]*"/g, '"model":"chat-prod"');
}

describe.each(cases)('$fixture.name in $spelling (usage withheld: $withholds)', (streamCase) => {
  const { fixture, spelling, withholds } = streamCase;
  const { protocol } = fixture;
  const bytes = bytesOf(fixture.name, spelling);
  const expected = renamed(withholds ? withoutUsageEvent(fixture, spelling) : bytes);

  const result = { text: expected, usage: fixture.usage, hasToolCalls: fixture.hasToolCalls };

  function replay(chunks: readonly Buffer[]): Partial<typeof result> {
    const tally = new Tally(protocols[protocol], false);
    const passed = passThrough(new EventReader(tally, withholds, named(protocol)), chunks);
    const { usage, hasToolCalls } = tally;
    return { text: passed.toString(), hasToolCalls, ...(usage && { usage }) };
  }

  it('has the model renamed in one piece and byte by byte', () => {
    expect(replay([bytes])).toEqual(result);
    expect(replay(cutEvery(bytes, 1))).toEqual(result);
  });

  it('has the model renamed wherever it is cut in two', () => {
    const wrong = inTwo(bytes).find((chunks) => !isDeepStrictEqual(replay(chunks), result));
    expect(wrong?.map((chunk) => chunk.toString())).toBeUndefined();
  });

  it('has the model renamed at random cuts', () => {
    fc.assert(
      fc.property(cuts(bytes), (at) => isDeepStrictEqual(replay(cutAt(bytes, at)), result)),
      { numRuns: 20 },
    );
  });
});

describe('a stream that is written oddly', () => {
  const usage = 'data: {"choices":[],"model":"m","usage":{"prompt_tokens":3,"completion_tokens":2}}\n\n';

  /** What comes of every way to cut it, usage withheld. */
  function everyCut(stream: string): string[] {
    const bytes = Buffer.from(stream);
    const passed = [[bytes], ...inTwo(bytes), cutEvery(bytes, 1)].map((chunks) => {
      const tally = new Tally(protocols['openai-chat'], false);
      return passThrough(new EventReader(tally, true, named('openai-chat')), chunks).toString();
    });
    return [...new Set(passed)];
  }

  it.each([
    'data: {"model":"m"}\n\ndata: [DONE]\n\n',
    '\n\ndata: {"model":"m"}\n\n\n: "model"\n\ndata: {"model":"m"}',
    'data: {"a":1,\ndata: "model":\ndata:"m"\ndata: }\nid: 1\n\ndata: {"model":"chat-prod"}\n\n',
    'data: {"a":"\\"model\\":\\"m\\"","b":{"model":"n"},"mod\\u0065l":"m"}\n\n',
    'data: {"model":"chat-prod"}\n\ndata: {"model":"m"}\n\n',
  ])('is renamed wherever it is cut: %j', (text) => {
    const expected = text.replaceAll('"m"', '"chat-prod"');
    for (const end of ['\n', '\r\n', '\r']) {
      const [before, after] = [text, expected].map((stream) => stream.replaceAll('\n', end));
      expect(everyCut(before ?? '')).toEqual([after]);
      expect(everyCut(`\ufeff${before}`)).toEqual([`\ufeff${after}`]);
    }
  });

  it('loses its usage, and nothing else, between renamed events', () => {
    const event = 'data: {"model":"m","choices":[{}]}\n\n';
    const kept = 'data: {"model":"chat-prod","choices":[{}]}\n\n';
    expect(everyCut(`\ufeff${usage}${event}${usage}${event}`)).toEqual([`\ufeff${kept}${kept}`]);
    const crlf = (text: string): string => text.replaceAll('\n', '\r\n');
    expect(everyCut(crlf(usage + event + usage + event))).toEqual([crlf(kept + kept)]);
  });

  it('is renamed where the old name is as long as the new one', () => {
    const crlf = 'data: {"model":"chat-test"}\r\n\r\ndata: {"model":"chat-test"}\r\n\r\n';
    expect(everyCut(crlf)).toEqual([crlf.replaceAll('test', 'prod')]);
  });
});

describe('chunks of whole events', () => {
  it('are passed on by reference where every model has the name already', () => {
    const tally = new Tally(protocols['openai-chat'], false);
    const reader = new EventReader(tally, true, named('openai-chat', 'glm-4'));
    const chunk = Buffer.from('data: {"model":"glm-4","choices":[]}\n\ndata: [DONE]\n\n');
    expect(reader.push(chunk)).toBe(chunk);
  });
});

describe('a large event', () => {
  it.each([1, 1000, 70_000])('is renamed wherever its model stands (%i bytes a chunk)', (size) => {
    const stream = `data: {"text":"${'x'.repeat(200_000)}","model":"m"}\n\n`;
    const tally = new Tally(protocols['openai-chat'], false);
    const reader = new EventReader(tally, false, named('openai-chat'));
    expect(passThrough(reader, cutEvery(Buffer.from(stream), size)).toString()).toBe(
      stream.replace('"m"', '"chat-prod"'),
    );
  });

  it('that is an error ends the stream, however long it is', () => {
    const tally = new Tally(protocols['openai-chat'], false);
    const reader = new EventReader(tally, false, { endsAtError: true });
    const before = 'data: {"choices":[]}\n\n';
    const error = `data: {"error":{"message":"${'y'.repeat(300_000)}"}}\n\n`;
    expect(passThrough(reader, cutEvery(Buffer.from(before + error), 10_000)).toString()).toBe(before);
    expect(reader.brokenOff).toBe(true);
  });
});

describe('an event longer than what is held back', () => {
  const start = '{"id":"1","model":"m","text":"';
  const after = 'data: {"model":"m"}\n\n';

  function pass(bytes: Buffer, size: number): string {
    const tally = new Tally(protocols['openai-chat'], false);
    return passThrough(new EventReader(tally, false, named('openai-chat')), cutEvery(bytes, size)).toString();
  }

  it.each([1000, 10_000, 70_000, 2_000_000])(
    'is renamed near its start, as are those around it (%i bytes a chunk)',
    (size) => {
      const stream = `\ufeff${after}data: ${start}${'x'.repeat(1_200_000)}"}\r\n\r\n${after}${after}`;
      expect(pass(Buffer.from(stream), size)).toBe(stream.replaceAll('"m"', '"chat-prod"'));
    },
  );

  it('is renamed behind a byte-order mark', () => {
    const stream = `\ufeffdata: ${start}${'x'.repeat(1_200_000)}"}\n\n`;
    expect(pass(Buffer.from(stream), 1000)).toBe(stream.replace('"m"', '"chat-prod"'));
  });

  it('passes as it comes where its model stands behind that', () => {
    const stream = `data: {"text":"${'x'.repeat(1_200_000)}","model":"m"}\n\n`;
    expect(pass(Buffer.from(stream), 1000)).toBe(stream);
  });
});

describe('the reader that is made for an answer', () => {
  const event = Buffer.from('data: {"model":"m"}\n\n');

  function pass(headers: Record<string, string>): string {
    const tally = new Tally(protocols['openai-chat'], false);
    return passThrough(makeReader(headers, tally, false, named('openai-chat')), [event]).toString();
  }

  it('renames the model in an event stream', () => {
    expect(pass({ 'content-type': 'text/event-stream' })).toBe('data: {"model":"chat-prod"}\n\n');
  });

  it.each([
    { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' },
    { 'content-type': 'text/event-stream', 'content-encoding': 'zstd' },
    { 'content-type': 'application/json' },
    { 'content-type': 'text/plain' },
  ])('passes anything else as it is: %j', (headers) => {
    expect(pass(headers)).toBe(event.toString());
  });
});
