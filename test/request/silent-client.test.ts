import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { readAnswer, startGateway } from '../support/gateway.ts';
import { connectRaw } from '../support/raw.ts';

const body = '{"messages":[]}';
const head = `POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n`;
const sized = `${head}Content-Length: ${body.length}\r\n\r\n`;

describe('a client that falls silent while it sends', () => {
  it.each([
    ['before the first byte of the body', sized],
    ['in the middle of the body', `${sized}${body.slice(0, 5)}`],
    ['before the last byte', `${sized}${body.slice(0, -1)}`],
    ['before the first chunk', `${head}Transfer-Encoding: chunked\r\n\r\n`],
    ['inside a chunk', `${head}Transfer-Encoding: chunked\r\n\r\nf\r\n{"mess`],
    ['before the last chunk', `${head}Transfer-Encoding: chunked\r\n\r\nf\r\n${body}\r\n`],
  ])('%s gets a 408 and loses its connection', async (_when, bytes) => {
    const { app, upstream } = await startGateway({ timeout: 60 });
    const client = await connectRaw(app.port);
    client.write(bytes);
    const answer = readAnswer(await client.closed());
    expect(answer).toMatchObject({ status: 408, code: 'request_timeout' });
    expect(answer.headers).toContain('connection: close');
    expect(upstream.connections).toBe(0);
    expect(app.finished[0]?.llm_outcome).toBe('timeout');
    expect(app.middleware.status()).toMatchObject({ in_flight: 0 });
  });

  it('gets it on a connection that has served a request before', async () => {
    const { app } = await startGateway({ timeout: 60 });
    const client = await connectRaw(app.port);
    client.write(`${sized}${body}`);
    await app.ended(1);
    client.write(sized);
    expect(await client.closed()).toContain('HTTP/1.1 408 ');
  });
});

describe('a client that is slow but steady', () => {
  it('is not cut, however long it takes in all', async () => {
    const timeout = 500;
    const { app, upstream } = await startGateway({ timeout });
    const client = await connectRaw(app.port);
    const startedAt = performance.now();
    client.write(sized);
    for (const byte of body) {
      await new Promise((resolve) => setTimeout(resolve, timeout / 12));
      client.write(byte);
    }
    expect(await client.until('\r\n\r\n')).toContain('HTTP/1.1 200 ');
    // Else nothing has been shown.
    expect(performance.now() - startedAt).toBeGreaterThan(timeout);
    expect(upstream.calls).toHaveLength(1);
  });
});

describe("the host server's own time-out", () => {
  it('is back in force when the body has been read', async () => {
    const { app, upstream } = await startGateway({ timeout: 5000 });
    app.server.setTimeout(7000);
    const sockets: Socket[] = [];
    app.server.on('connection', (socket) => sockets.push(socket));
    const client = await connectRaw(app.port);
    client.write(sized);
    const [, res] = await once(app.server, 'request');
    const timeouts: unknown[] = [];
    upstream.server.prependListener('request', () => timeouts.push(sockets[0]?.timeout));
    await new Promise((resolve) => setImmediate(resolve));
    expect(sockets[0]?.timeout).toBe(5000);
    client.write(body);
    await once(res, 'finish');
    expect(timeouts).toEqual([7000]);
  });
});
