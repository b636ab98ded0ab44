/** Plain answers, which are held until they are complete. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import zlib from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { signal } from '../streams/streaming.ts';
import { startRawUpstream } from '../support/broken-upstreams.ts';
import { sendRaw } from '../support/gateway.ts';
import { heapUsed } from '../support/heap.ts';
import { chatAnswer, echoModel, type Script, startUpstream } from '../support/upstream.ts';
import { aliasOf, chat, errorIn, keyFor, modelFor, startRouter } from './started-router.ts';

const MIB = 1024 * 1024;

async function startWith(script: Script, more: Parameters<typeof aliasOf>[3] = {}) {
  const llm = await startUpstream(script);
  return startRouter({
    provider_keys: [keyFor('a', llm.url)],
    models: [modelFor('a'), aliasOf('chat', ['a'], {}, more)],
  });
}

const text = JSON.stringify(chatAnswer('upstream-a'));

const encodings: readonly (readonly [name: string, encode: (bytes: string) => Buffer])[] = [
  ['gzip', (bytes) => zlib.gzipSync(bytes)],
  ['x-gzip', (bytes) => zlib.gzipSync(bytes)],
  ['GZIP', (bytes) => zlib.gzipSync(bytes)],
  ['deflate', (bytes) => zlib.deflateSync(bytes)],
  ['br', (bytes) => zlib.brotliCompressSync(bytes)],
];

describe('an answer that is encoded although nobody has asked for it', () => {
  it.each(encodings)('as %s is decoded, and its model renamed', async (name, encode) => {
    const started = await startWith((_call, res) => {
      const headers = { 'content-type': 'application/json', 'content-encoding': name, etag: '"1"' };
      res.writeHead(200, headers).end(encode(text));
    });
    const answer = await chat(started, 'chat');
    expect([answer.status, answer.headers.get('content-encoding'), answer.headers.get('etag')]).toEqual([
      200,
      null,
      null,
    ]);
    const json = await answer.text();
    expect(json).toBe(text.replace('upstream-a', 'chat'));
    expect(answer.headers.get('content-length')).toBe(String(json.length));
  });

  it.each([
    ['is broken', 'gzip', zlib.gzipSync(text).subarray(0, 40)],
    ['is in an encoding that is not known', 'zstd', Buffer.from(text)],
    ['is a bomb', 'gzip', zlib.gzipSync(Buffer.alloc(65 * MIB, ' '))],
  ])('and %s is as good as none', async (_what, encoding, bytes) => {
    const started = await startWith((_call, res) =>
      res.writeHead(200, { 'content-type': 'application/json', 'content-encoding': encoding }).end(bytes),
    );
    const answer = await chat(started, 'chat');
    expect([answer.status, await errorIn(answer)]).toMatchObject([502, { type: 'upstream_decode_error' }]);
  });
});

it('an encoded answer that reports no usage is estimated by the length of its text', async () => {
  const content = 'The quick brown fox '.repeat(1000);
  const bytes = zlib.gzipSync(JSON.stringify({ choices: [{ message: { content } }] }));
  const send: Script = (_call, res) =>
    res.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(bytes);
  const started = await startWith(send, { rate_limit: { tpm: 1_000_000 } });
  await (await chat(started, 'chat')).text();
  const [first] = await started.ended(1);
  expect(first?.llm_usage_source).toBe('estimated');
  expect(first?.llm_completion_tokens).toBeGreaterThan(2500);
  expect(first?.llm_completion_tokens).toBeLessThan(10_000);
});

describe('an answer that is too large to be held', () => {
  const piece = randomBytes(MIB / 2).toString('hex');

  it('is refused as soon as it says so', async () => {
    const llm = await startRawUpstream((socket) =>
      socket.write(
        `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${64 * MIB + 1}\r\n\r\n`,
      ),
    );
    const started = await startRouter({ provider_keys: [keyFor('a', llm.url)], models: [modelFor('a')] });
    const answer = await chat(started, 'a');
    expect([answer.status, await errorIn(answer)]).toMatchObject([502, { type: 'response_too_large' }]);
    await llm.deserted();
  });

  it('is refused as soon as it is', async () => {
    const started = await startWith(async (_call, res) => {
      res.writeHead(200, { 'content-type': 'application/json' });
      const closed = once(res, 'close');
      for (let count = 0; count < 66 && !res.destroyed; count++) {
        if (!res.write(piece)) await Promise.race([once(res, 'drain'), closed]);
      }
      res.end();
    });
    const answer = await chat(started, 'chat');
    expect([answer.status, await errorIn(answer)]).toMatchObject([502, { type: 'response_too_large' }]);
    expect(started.router.status()).toMatchObject({ in_flight: 0, instances: [{ in_flight: 0 }] });
  });
});

describe('an answer that comes byte by byte', () => {
  const COUNT = 1_000_000;

  it('takes no more memory than it is long', async () => {
    const { happened: finish, happen: finishIt } = signal();
    const llm = await startRawUpstream(async (socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n');
      socket.write('1\r\n{\r\n'.concat('1\r\n \r\n'.repeat(COUNT)));
      await finish;
      socket.write('1\r\n}\r\n0\r\n\r\n');
    });
    const started = await startRouter({ provider_keys: [keyFor('a', llm.url)], models: [modelFor('a')] });
    const before = await heapUsed();
    const asked = chat(started, 'a');
    await llm.requested(1);
    const [socket] = llm.sockets;
    while ((socket?.writableLength ?? 0) > 0) await new Promise((resolve) => setTimeout(resolve, 10));
    // A buffer for each byte would take a hundred times as much as it holds; some of it may still be on its way.
    expect((await heapUsed()) - before).toBeLessThan(64 * MIB);
    finishIt();
    expect(await (await asked).text()).toHaveLength(COUNT + 2);
  });
});

describe('an answer without a body', () => {
  it.each([200, 204])('with %i cannot be read', async (status) => {
    const started = await startWith((_call, res) => res.writeHead(status).end());
    const answer = await chat(started, 'chat');
    expect([answer.status, await errorIn(answer)]).toMatchObject([502, { type: 'upstream_decode_error' }]);
  });

  it('is what a HEAD for the models gets, with their length', async () => {
    const started = await startWith(echoModel());
    const [head, get] = [
      await sendRaw(started.port, 'HEAD /v1/models'),
      await sendRaw(started.port, 'GET /v1/models'),
    ];
    expect([head.status, head.body]).toEqual([200, '']);
    const lengthIn = (lines: readonly string[]) => lines.find((line) => /^content-length:/i.test(line));
    expect(lengthIn(head.headers)).toBe(lengthIn(get.headers));
  });
});
