// Answers that are encoded although nobody asked for it, and report no usage.

import { randomBytes } from 'node:crypto';
import zlib from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { connectRaw, rawPost } from '../support/raw.ts';
import { chatEvent, doneEvent, type Script } from '../support/upstream.ts';
import { HOUR, startLimited, usedOf } from './limited.ts';

const LIMITS = { limit: 10_000_000, time_window: HOUR };
const streamed = { messages: [], stream: true };

type Encode = (text: string) => Buffer;

const { Z_SYNC_FLUSH: finishFlush, BROTLI_OPERATION_FLUSH, BROTLI_PARAM_QUALITY } = zlib.constants;

/** Its default is the slowest there is. */
const params = { [BROTLI_PARAM_QUALITY]: 4 };

/** Each with one that leaves open what may follow, as it is on the way. */
const encoders: readonly (readonly [string, Encode, Encode])[] = [
  ['gzip', (text) => zlib.gzipSync(text), (text) => zlib.gzipSync(text, { finishFlush })],
  ['Deflate', (text) => zlib.deflateSync(text), (text) => zlib.deflateSync(text, { finishFlush })],
  [
    'br',
    (text) => zlib.brotliCompressSync(text, { params }),
    (text) => zlib.brotliCompressSync(text, { params, finishFlush: BROTLI_OPERATION_FLUSH }),
  ],
];

const asItIs: Encode = (text) => Buffer.from(text);

const stream = `${chatEvent('The quick brown fox ').repeat(500)}${doneEvent}`;
const plain = JSON.stringify({ choices: [{ message: { content: 'The quick brown fox '.repeat(5000) } }] });

function sends(type: string, encoding: string, bytes: Buffer): Script {
  return (_call, res) => {
    res.writeHead(200, { 'content-type': type, 'content-encoding': encoding });
    res.end(bytes);
  };
}

/** What an answer to the app's first request is estimated at; it must be charged as such. */
async function estimateOf(script: Script, body: object): Promise<number> {
  const { app, url } = await startLimited(LIMITS, { script });
  const client = await connectRaw(app.port);
  client.write(rawPost('/', JSON.stringify(body), ['Connection: close']));
  await client.closed();
  const [first] = await app.ended(1);
  expect(first?.llm_usage_source).toBe('estimated');
  expect(await usedOf(url)).toBe(first?.llm_total_tokens);
  return Number(first?.llm_completion_tokens);
}

function expectAbout(tokens: number, expected: number): void {
  expect(tokens).toBeGreaterThan(expected / 2);
  expect(tokens).toBeLessThan(expected * 2);
}

describe.each(encoders)('an answer in %s is charged by the length of its text', (encoding, encode, begin) => {
  it('as a stream', async () => {
    const tokens = await estimateOf(sends('text/event-stream', encoding, encode(stream)), streamed);
    expect(tokens).toBe(await estimateOf(sends('text/event-stream', 'identity', asItIs(stream)), streamed));
    expectAbout(tokens, 500 * 5);
  });

  it('as a plain answer', async () => {
    const tokens = await estimateOf(sends('application/json', encoding, encode(plain)), { messages: [] });
    expect(tokens).toBe(
      await estimateOf(sends('application/json', 'identity', asItIs(plain)), { messages: [] }),
    );
    expectAbout(tokens, 5000 * 5);
  });

  it('beyond the start that is looked at', async () => {
    const events = Array.from({ length: 3000 }, () => chatEvent(randomBytes(10).toString('hex'))).join('');
    const bytes = encode(events);
    expect(bytes.length).toBeGreaterThan(30_000);
    expectAbout(await estimateOf(sends('text/event-stream', encoding, bytes), streamed), 3000 * 5);
  });

  it('where it is cut short', async () => {
    const tokens = await estimateOf((_call, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': encoding });
      res.write(begin(stream), () => res.destroy());
    }, streamed);
    expectAbout(tokens, 500 * 5);
  });

  it('where the client hangs up', async () => {
    const bytes = begin(stream);
    const { app } = await startLimited(LIMITS, {
      script(_call, res) {
        res.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': encoding });
        res.write(bytes);
      },
    });
    const client = await connectRaw(app.port);
    client.write(rawPost('/', JSON.stringify(streamed)));
    await client.until(bytes.toString('latin1'));
    client.socket.destroy();
    const [first] = await app.ended(1);
    expect(first).toMatchObject({ llm_usage_source: 'estimated', llm_outcome: 'client_gone' });
    expectAbout(Number(first?.llm_completion_tokens), 500 * 5);
  });
});

describe('an encoded answer that cannot be decoded', () => {
  it.each([
    ['is in a coding nobody knows', 'x-unheard-of', Buffer.alloc(4000, 'x')],
    ['is broken', 'gzip', Buffer.alloc(4000, 'x')],
    ['inflates beyond bounds', 'br', zlib.brotliCompressSync(Buffer.alloc(64 * 1024 * 1024), { params })],
  ])('is charged by what was sent: it %s', async (_what, encoding, bytes) => {
    expect(await estimateOf(sends('text/event-stream', encoding, bytes), streamed)).toBe(
      Math.ceil(bytes.length / 4),
    );
  });
});
