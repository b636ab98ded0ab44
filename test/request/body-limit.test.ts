import type { Socket } from 'node:net';
import express from 'express';
import { describe, expect, it } from 'vitest';
import { type App, post } from '../support/app.ts';
import { readAnswer, refusalOf, sendRaw, startGateway } from '../support/gateway.ts';
import { heapUsed } from '../support/heap.ts';
import { connectRaw, type RawClient } from '../support/raw.ts';

const LIMIT = 1000;
const MEGABYTE = 1024 * 1024;

/** A chat body of exactly that many bytes. */
function bodyOf(bytes: number): string {
  const frame = '{"messages":[],"x":""}';
  return frame.replace('""', `"${'y'.repeat(bytes - frame.length)}"`);
}

function chunked(body: string): string {
  return `${Buffer.byteLength(body).toString(16)}\r\n${body}\r\n0\r\n\r\n`;
}

/** The gateway's ends of its connections. */
function watchSockets(app: App): Socket[] {
  const sockets: Socket[] = [];
  app.server.on('connection', (socket) => sockets.push(socket));
  return sockets;
}

/** Writes until the connection is closed, or so much is written that the other side must be reading it. */
function flood(client: RawClient, piece: Buffer, bytes: number): void {
  let left = bytes;
  const write = (): void => {
    while (left > 0 && !client.socket.destroyed) {
      left -= piece.length;
      if (!client.socket.write(piece)) return;
    }
  };
  client.socket.on('drain', write);
  write();
}

describe('a body of max_req_body_size', () => {
  it('is taken, with a content-length and in chunks', async () => {
    const { app, upstream } = await startGateway({ max_req_body_size: LIMIT });
    const body = bodyOf(LIMIT);
    expect((await sendRaw(app.port, 'POST /', [`Content-Length: ${LIMIT}`], body)).status).toBe(200);
    const inChunks = await sendRaw(app.port, 'POST /', ['Transfer-Encoding: chunked'], chunked(body));
    expect(inChunks.status).toBe(200);
    expect(upstream.calls).toHaveLength(2);
  });

  it.each([
    ['with a content-length', [`Content-Length: ${LIMIT + 1}`], bodyOf(LIMIT + 1)],
    ['in chunks', ['Transfer-Encoding: chunked'], chunked(bodyOf(LIMIT + 1))],
  ])('and one byte more is a 413, %s', async (_how, headers, body) => {
    const { app, upstream } = await startGateway({ max_req_body_size: LIMIT });
    const answer = await sendRaw(app.port, 'POST /', headers, body);
    expect(answer).toMatchObject({ status: 413, code: 'body_too_large' });
    expect(upstream.calls).toEqual([]);
    expect((await post(app.url)).status).toBe(200);
  });

  it('counts bytes, not characters', async () => {
    const { app } = await startGateway({ max_req_body_size: LIMIT });
    expect(await refusalOf(await post(app.url, { x: '語'.repeat(LIMIT / 2) }))).toEqual({
      status: 413,
      code: 'body_too_large',
    });
  });
});

describe('a body over max_req_body_size', () => {
  it('is refused by its content-length, before a byte of it is sent', async () => {
    const { app, upstream } = await startGateway({ max_req_body_size: LIMIT });
    const client = await connectRaw(app.port);
    client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999999\r\n\r\n');
    const answer = readAnswer(await client.closed());
    expect(answer).toMatchObject({ status: 413, code: 'body_too_large' });
    expect(answer.headers).toContain('connection: close');
    expect(upstream.calls).toEqual([]);
  });

  it.each([
    ['with a content-length', 'Content-Length: 900000000', Buffer.alloc(MEGABYTE, 'y')],
    [
      'in chunks',
      'Transfer-Encoding: chunked',
      Buffer.from(`${(16_384).toString(16)}\r\n${'y'.repeat(16_384)}\r\n`),
    ],
  ])(
    'is not read on, %s: the client gets its answer and the connection closes',
    async (_how, header, piece) => {
      const { app, upstream } = await startGateway({ max_req_body_size: LIMIT });
      const sockets = watchSockets(app);
      const client = await connectRaw(app.port);
      client.write(`POST / HTTP/1.1\r\nHost: a\r\n${header}\r\n\r\n`);
      flood(client, piece, 256 * MEGABYTE);
      const answer = readAnswer(await client.closed());
      expect(answer).toMatchObject({ status: 413, code: 'body_too_large' });
      expect(sockets).toHaveLength(1);
      expect(sockets[0]?.bytesRead).toBeLessThan(8 * MEGABYTE);
      expect(upstream.connections).toBe(0);
      expect(app.finished[0]?.llm_outcome).toBe('rejected');
    },
  );

  it('is refused when the chunk that goes over is reached, though the client then waits', async () => {
    const { app } = await startGateway({ max_req_body_size: LIMIT });
    const client = await connectRaw(app.port);
    client.write('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
    client.write(`1f4\r\n${'y'.repeat(500)}\r\n`);
    client.write(`1f5\r\n${'y'.repeat(501)}\r\n`);
    expect(readAnswer(await client.closed())).toMatchObject({ status: 413, code: 'body_too_large' });
  });

  it('is refused as well where a parser in front has read it', async () => {
    const { app, upstream } = await startGateway(
      { max_req_body_size: LIMIT },
      { before: (app) => app.use(express.json()) },
    );
    expect(await refusalOf(await post(app.url, bodyOf(LIMIT + 1)))).toEqual({
      status: 413,
      code: 'body_too_large',
    });
    expect(upstream.calls).toEqual([]);
  });

  it('of five megabytes from an ordinary client is answered, not reset', async () => {
    const { app } = await startGateway({ max_req_body_size: LIMIT });
    expect((await post(app.url, bodyOf(5 * MEGABYTE))).status).toBe(413);
    expect((await post(app.url)).status).toBe(200);
  });
});

describe('a body in chunks of one byte', () => {
  const head = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';

  it('is taken whole', async () => {
    const { app, upstream } = await startGateway();
    const body = bodyOf(200_000);
    const chunks = [...body].map((byte) => `1\r\n${byte}\r\n`).join('');
    const answer = await sendRaw(app.port, 'POST /', ['Transfer-Encoding: chunked'], `${chunks}0\r\n\r\n`);
    expect(answer.status).toBe(200);
    expect(upstream.calls[0]?.body).toHaveLength(body.length - 1 + ',"model":"model-one"}'.length);
    expect(upstream.calls[0]?.body.startsWith(body.slice(0, -1))).toBe(true);
  });

  it('costs little more than its bytes', async () => {
    const { app } = await startGateway();
    const sockets = watchSockets(app);
    const client = await connectRaw(app.port);
    const sent = Buffer.from(head + '1\r\n \r\n'.repeat(MEGABYTE / 4));
    const before = await heapUsed();
    client.write(sent);
    while ((sockets[0]?.bytesRead ?? 0) < sent.length) await new Promise((resolve) => setImmediate(resolve));
    expect((await heapUsed()) - before).toBeLessThan(16 * MEGABYTE);
  });
});

it('takes 64 MiB by default, and not a byte more', async () => {
  const { app } = await startGateway({ timeout: 60 });
  const whole = 64 * MEGABYTE;
  expect(await sendRaw(app.port, 'POST /', [`Content-Length: ${whole + 1}`])).toMatchObject({ status: 413 });
  // Waited for, and in vain.
  expect(await sendRaw(app.port, 'POST /', [`Content-Length: ${whole}`])).toMatchObject({ status: 408 });
});
