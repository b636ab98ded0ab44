import { once } from 'node:events';
import express, { type RequestHandler } from 'express';
import { describe, expect, it } from 'vitest';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { connectRaw, type RawClient, rawPost } from '../support/raw.ts';

const body = '{"messages":[]}';
const head = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n';
const half = `${head}Content-Length: 1000\r\n\r\n${body.slice(0, 5)}`;

async function expectForgotten({ app, upstream }: Gateway): Promise<void> {
  expect(await app.ended(1)).toMatchObject([{ llm_outcome: 'client_gone', llm_attempts: [] }]);
  expect(upstream.connections).toBe(0);
  expect(app.middleware.status()).toMatchObject({ in_flight: 0, instances: [{ attempts: 0 }] });
  await app.middleware.close();
  expect(app.logs).toEqual([]);
}

/** A client whose bytes have reached the app's listener. */
async function clientOf({ app }: Gateway, bytes: string): Promise<RawClient> {
  const client = await connectRaw(app.port);
  const arrived = once(app.server, 'request');
  client.write(bytes);
  await arrived;
  return client;
}

describe('a client that hangs up while it uploads', () => {
  it.each([
    ['before the body', `${head}Content-Length: 1000\r\n\r\n`],
    ['in the middle of the body', half],
    ['in the middle of a chunk', `${head}Transfer-Encoding: chunked\r\n\r\nff\r\n{"mess`],
    ['before the last chunk', `${head}Transfer-Encoding: chunked\r\n\r\nf\r\n${body}\r\n`],
  ])('is forgotten, and nothing is sent upstream: %s', async (_when, bytes) => {
    const gateway = await startGateway();
    const client = await clientOf(gateway, bytes);
    client.socket.destroy();
    await expectForgotten(gateway);
  });

  it('is forgotten too when it resets the connection', async () => {
    const gateway = await startGateway();
    const client = await clientOf(gateway, half);
    client.socket.resetAndDestroy();
    await expectForgotten(gateway);
  });

  it('is forgotten too when it only ends its half of the connection', async () => {
    const gateway = await startGateway();
    const client = await clientOf(gateway, half);
    client.socket.end();
    await expectForgotten(gateway);
  });

  it('is forgotten too when it sends a chunk that is none', async () => {
    const gateway = await startGateway();
    const client = await clientOf(gateway, `${head}Transfer-Encoding: chunked\r\n\r\n`);
    client.write('nonsense\r\n');
    await expectForgotten(gateway);
  });
});

/**
 * A middleware in front, an auth check say, can take longer than the client cares to wait. By the time the
 * gateway is called, the response has said `close` and will not say it again: whoever waits for it waits forever.
 */
describe('a client that has gone before the gateway is called', () => {
  const waits: RequestHandler = async (_req, res, next) => {
    await once(res, 'close');
    next();
  };

  it.each([
    ['its body unread', [waits], rawPost('/', body)],
    ['its body half sent', [waits], half],
    ['its body read by a parser', [express.json(), waits], rawPost('/', body)],
    ['no body at all', [waits], 'GET /v1/models HTTP/1.1\r\nHost: a\r\n\r\n'],
  ])('is forgotten, with %s', async (_how, handlers, bytes) => {
    const gateway = await startGateway({}, { before: (app) => app.use(...handlers) });
    const reached = once(gateway.app.server, 'request');
    const client = await connectRaw(gateway.app.port);
    client.write(bytes);
    await reached;
    client.socket.destroy();
    await expectForgotten(gateway);
  });
});
