import http from 'node:http';
import zlib from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { bytesOf } from '../answer/stream-fixtures.ts';
import type { App } from '../support/app.ts';
import { chatAnswer } from '../support/upstream.ts';
import { asking, notAsking, startStreaming } from './streaming.ts';

const encoders: readonly (readonly [string, (bytes: Buffer) => Buffer])[] = [
  ['gzip', (bytes) => zlib.gzipSync(bytes)],
  ['deflate', (bytes) => zlib.deflateSync(bytes)],
  ['br', (bytes) => zlib.brotliCompressSync(bytes)],
];

interface Bytes {
  readonly encoding: string | undefined;
  readonly body: Buffer;
}

/** Asks with a client that decodes nothing. */
function askUndecoded(app: App, body: unknown): Promise<Bytes> {
  return new Promise((resolve, reject) => {
    const req = http.request(
      {
        port: app.port,
        method: 'POST',
        path: '/v1/chat/completions',
        headers: { 'content-type': 'application/json' },
      },
      async (res) => {
        const chunks: Buffer[] = [];
        for await (const chunk of res) chunks.push(chunk);
        resolve({ encoding: res.headers['content-encoding'], body: Buffer.concat(chunks) });
      },
    );
    req.on('error', reject);
    req.end(JSON.stringify(body));
  });
}

/** An upstream that sends these bytes in two pieces. */
function startSending(type: string, encoding: string, bytes: Buffer) {
  return startStreaming((_call, res) => {
    res.writeHead(200, { 'content-type': type, 'content-encoding': encoding });
    res.write(bytes.subarray(0, bytes.length / 2));
    setImmediate(() => setImmediate(() => res.end(bytes.subarray(bytes.length / 2))));
  });
}

describe.each(encoders)('an answer in %s, although nobody asked for it,', (encoding, encode) => {
  it('is passed on as it is and counted, plain', async () => {
    const bytes = encode(Buffer.from(JSON.stringify(chatAnswer('m'))));
    const { app } = await startSending('application/json', encoding, bytes);
    const answer = await askUndecoded(app, asking);
    expect([answer.encoding, answer.body.equals(bytes)]).toEqual([encoding, true]);
    expect(await app.ended(1)).toMatchObject([{ llm_total_tokens: 31, llm_outcome: 'complete' }]);
  });

  it.each([
    ['asked', asking],
    ['did not ask', notAsking],
  ])('is passed on as it is and counted, streamed, to a client that %s for usage', async (_, body) => {
    const bytes = encode(bytesOf('openai-chat-usage'));
    const { app } = await startSending('text/event-stream', encoding, bytes);
    const answer = await askUndecoded(app, body);
    expect([answer.encoding, answer.body.equals(bytes)]).toEqual([encoding, true]);
    expect(await app.ended(1)).toMatchObject([{ llm_total_tokens: 29, request_type: 'ai_stream' }]);
  });
});

describe.each(['identity', 'Identity', 'IDENTITY, identity', ''])(
  'an answer in the encoding "%s" is not encoded:',
  (encoding) => {
    it('its usage is counted, plain', async () => {
      const { app } = await startSending(
        'application/json',
        encoding,
        Buffer.from(JSON.stringify(chatAnswer('m'))),
      );
      await askUndecoded(app, asking);
      expect(await app.ended(1)).toMatchObject([{ llm_total_tokens: 31, llm_outcome: 'complete' }]);
    });

    it('its usage is counted, and kept from a client that did not ask for it, streamed', async () => {
      const { app } = await startSending('text/event-stream', encoding, bytesOf('openai-chat-usage'));
      const { body } = await askUndecoded(app, notAsking);
      expect(body.includes('"total_tokens"')).toBe(false);
      expect(await app.ended(1)).toMatchObject([{ llm_total_tokens: 29, request_type: 'ai_stream' }]);
    });

    it('an error at the start of its stream is found', async () => {
      const error = Buffer.from('data: {"error":{"code":502,"message":"Bad"}}\n\n');
      const { app } = await startSending('text/event-stream', encoding, error);
      await askUndecoded(app, asking);
      expect(await app.ended(1)).toMatchObject([{ llm_attempts: [{ status: 502 }] }]);
    });
  },
);

describe('an encoded answer', () => {
  it('in an encoding nobody knows is passed on', async () => {
    const { app } = await startSending('application/json', 'x-unheard-of', Buffer.from('some bytes'));
    const answer = await askUndecoded(app, asking);
    expect([answer.encoding, answer.body.toString()]).toEqual(['x-unheard-of', 'some bytes']);
    expect(await app.ended(1)).toMatchObject([{ llm_total_tokens: 0, llm_outcome: 'complete' }]);
  });

  it('that is broken is passed on', async () => {
    const { app } = await startSending('application/json', 'gzip', Buffer.from('no gzip at all'));
    expect((await askUndecoded(app, asking)).body.toString()).toBe('no gzip at all');
    expect(await app.ended(1)).toMatchObject([{ llm_outcome: 'complete' }]);
  });

  it('that inflates to more than a hundred megabytes is passed on, and its request ends', async () => {
    const bomb = zlib.gzipSync(Buffer.alloc(128 * 1024 * 1024));
    const { app } = await startSending('application/json', 'gzip', bomb);
    expect((await askUndecoded(app, asking)).body.equals(bomb)).toBe(true);
    expect(await app.ended(1)).toMatchObject([{ llm_outcome: 'complete' }]);
  });
});
