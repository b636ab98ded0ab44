import { describe, expect, it } from 'vitest';
import { EventReader, type EventReaderOptions } from '../../lib/answer/event-reader.ts';
import { modelRename } from '../../lib/answer/model-name.ts';
import { Tally } from '../../lib/answer/tally.ts';
import { protocols } from '../../lib/protocols/index.ts';
import { cutEvery, inTwo, passThrough } from './replay.ts';
import { bytesOf, fixtures } from './stream-fixtures.ts';

const content = 'data: {"choices":[{"delta":{"content":"Hi"}}]}\n\n';
const error = 'data: {"error":{"message":"secret detail","type":"server_error"}}\n\n';

interface Passed {
  readonly text: string;
  readonly brokenOff: boolean;
  readonly atBoundary: boolean;
}

function pass(chunks: readonly Buffer[], withholds = false, options: EventReaderOptions = {}): Passed {
  const tally = new Tally(protocols['openai-chat'], false);
  const reader = new EventReader(tally, withholds, { endsAtError: true, ...options });
  const text = passThrough(reader, chunks).toString();
  return { text, brokenOff: reader.brokenOff, atBoundary: reader.atBoundary };
}

/** What comes of a stream, whichever way it is cut. */
function everyCut(stream: string, withholds = false, options: EventReaderOptions = {}): unknown[] {
  const bytes = Buffer.from(stream);
  const results = [[bytes], ...inTwo(bytes), cutEvery(bytes, 1)].map((chunks) => {
    const { text, brokenOff } = pass(chunks, withholds, options);
    return JSON.stringify([text, brokenOff]);
  });
  return [...new Set(results)].map((result) => JSON.parse(result));
}

describe('an error in a stream that has begun', () => {
  it.each([
    error,
    'data: {"error":"overloaded"}\n\n',
    'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"m"}}\n\n',
    'event: error\ndata: {"type":"error","code":"server_error","message":"m"}\n\n',
    'event: response.failed\ndata: {"type":"response.failed","response":{"error":null}}\n\n',
    'data: {"type":"response.failed",\ndata: "response":{"error":{"code":"server_error"}}}\n\n',
    'id: 1\ndata: { "error" :\t{"code":429} }\n\n',
    'data: {"choices":[],"error":{"code":502}}\n\n',
  ])('ends what is passed on before it, wherever the bytes are cut: %j', (event) => {
    for (const end of ['\n', '\r\n', '\r']) {
      const [before, stream] = [content, content + event + content].map((text) => text.replaceAll('\n', end));
      expect(everyCut(stream ?? '')).toEqual([[before, true]]);
      expect(everyCut(`\ufeff${stream}`)).toEqual([[`\ufeff${before}`, true]]);
    }
  });

  it('ends it also in a stream that ends without a blank line', () => {
    expect(everyCut(content + error.trimEnd())).toEqual([[content, true]]);
  });

  it('ends it at the first of several', () => {
    const failed = 'data: {"type":"response.failed","response":{}}\n\n';
    expect(everyCut(content + content + failed + error + content)).toEqual([[content + content, true]]);
    expect(everyCut(content + error + failed + content)).toEqual([[content, true]]);
  });

  it('ends it in a stream whose events are renamed and whose usage is withheld', () => {
    const usage = 'data: {"choices":[],"model":"m","usage":{"prompt_tokens":3}}\n\n';
    const event = 'data: {"choices":[{}],"model":"m"}\n\n';
    const rename = modelRename(protocols['openai-chat'], 'alias');
    const expected = event.replace('"m"', '"alias"');
    expect(everyCut(event + usage + error + event, true, { rename })).toEqual([[expected, true]]);
  });

  it('leaves what has been passed on at a boundary', () => {
    expect(
      pass([Buffer.from(content), Buffer.from(error.slice(0, 20)), Buffer.from(error.slice(20))]),
    ).toEqual({ text: content, brokenOff: true, atBoundary: true });
  });

  it('lets nothing pass afterwards', () => {
    const reader = new EventReader(new Tally(protocols['openai-chat'], false), false, { endsAtError: true });
    expect(reader.push(Buffer.from(content + error))?.toString()).toBe(content);
    expect(reader.push(Buffer.from(content))).toBeUndefined();
    expect(reader.push(Buffer.from('\n'))).toBeUndefined();
    expect(reader.end()).toBeUndefined();
  });

  it('is asked for what it says of usage', () => {
    const tally = new Tally(protocols['openai-responses'], false);
    const failed = { type: 'response.failed', response: { usage: { input_tokens: 3, output_tokens: 2 } } };
    const reader = new EventReader(tally, false, { endsAtError: true });
    passThrough(reader, [Buffer.from(`${content}data: ${JSON.stringify(failed)}\n\n`)]);
    expect(tally.usage?.totalTokens).toBe(5);
  });
});

describe('what is no error in a stream that has begun', () => {
  it.each([
    'data: {"choices":[{"delta":{"content":"error"}}]}\n\n',
    'data: {"choices":[{"delta":{"content":"{\\"error\\":{\\"code\\":500}}"}}]}\n\n',
    'data: {"choices":[{"delta":{"content":"response.failed"}}]}\n\n',
    'data: {"type":"response.output_text.delta","delta":"response.failed"}\n\n',
    'data: {"choices":[],"error":null}\n\n',
    'data: {"choices":[{"error":{"code":500}}]}\n\n',
    'data: {"type":"response.completed","response":{"error":null}}\n\n',
    ': {"error":{"code":500}}\n\n',
    'event: error\n\n',
    'data: "error"\n\n',
    'data: not JSON, "error": {}\n\n',
    'data: [DONE]\n\n',
  ])('is passed on, wherever the bytes are cut: %j', (event) => {
    expect(everyCut(content + event + content)).toEqual([[content + event + content, false]]);
  });

  it('is the first event, which has been judged before', () => {
    expect(everyCut(`: comment\n\n\n${error}${content}`)).toEqual([
      [`: comment\n\n\n${error}${content}`, false],
    ]);
    expect(everyCut(`${error}${content}${error}`)).toEqual([[error + content, true]]);
  });

  it('is all of a stream that works', () => {
    for (const { name } of fixtures) {
      const bytes = bytesOf(name);
      expect(pass(cutEvery(bytes, 50))).toMatchObject({ text: bytes.toString(), brokenOff: false });
    }
  });

  it('is anything to a reader that was not asked to end there', () => {
    expect(everyCut(content + error + content, false, { endsAtError: false })).toEqual([
      [content + error + content, false],
    ]);
  });
});

describe('an error behind a first event too long to be held back', () => {
  it('ends what is passed on', () => {
    const long = `data: ${'x'.repeat(100_000)}\n\n`;
    const { text, brokenOff } = pass(cutEvery(Buffer.from(long + error + content), 1000));
    expect([text === long, brokenOff]).toEqual([true, true]);
  });
});
