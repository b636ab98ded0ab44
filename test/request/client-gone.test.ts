import { EventEmitter, once } from 'node:events';
import type { ServerResponse } from 'node:http';
import express, { type RequestHandler } from 'express';
import { describe, expect, it, onTestFinished } from 'vitest';
import { instance, startApp } from '../support/app.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { connectRaw, type RawClient, rawPost } from '../support/raw.ts';
import { answerJson, chatAnswer, type Script, startUpstream } from '../support/upstream.ts';

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

/**
 * Requests may be sent before the answers to earlier ones have come (pipelining, RFC 9112 §9.3.2). Node gives such a
 * request's response no socket until it is its turn, and never tells it that the connection has closed.
 */
describe('a client that hangs up with a second request in the queue', () => {
  const secondBody = '{"messages":["second"]}';

  /** Sends both requests at once and hangs up when so many have reached the LLM. */
  async function hangUp(second: string, calls: number, script: Script = () => {}): Promise<void> {
    const events = new EventEmitter();
    const upstream = await startUpstream((call, res, req) => {
      events.emit('call');
      return script(call, res, req);
    });
    const app = await startApp({ instances: [instance('one', upstream.url)] });
    const client = await connectRaw(app.port);
    client.write(`${rawPost('/', body)}${second}`);
    while (upstream.calls.length < calls) await once(events, 'call');
    client.socket.destroy();
    const finished = await app.ended(2);
    expect(finished.map((finish) => finish.llm_outcome)).toEqual(['client_gone', 'client_gone']);
    await app.middleware.close();
    expect(upstream.calls).toHaveLength(calls);
  }

  it('is forgotten twice when the second one is half sent', () => hangUp(half, 1));

  it('is forgotten twice when both wait for the LLM', () => hangUp(rawPost('/', secondBody), 2));

  it('is forgotten twice when the second answer is larger than what is held', () =>
    hangUp(rawPost('/', secondBody), 2, (call, res) => {
      if (call.body.includes('second')) answerJson(res, 200, chatAnswer('m', 'x'.repeat(4_000_000)));
    }));

  it('is forgotten as often as it has asked, without a warning of too many listeners', async () => {
    const warnings: unknown[] = [];
    const warn = (warning: unknown): void => {
      warnings.push(warning);
    };
    process.on('warning', warn);
    onTestFinished(() => {
      process.removeListener('warning', warn);
    });
    const upstream = await startUpstream(() => {});
    const app = await startApp({ instances: [instance('one', upstream.url)] });
    let requests = 0;
    const arrived = new Promise<void>((resolve) => {
      app.server.on('request', () => {
        if (++requests === 21) resolve();
      });
    });
    const client = await connectRaw(app.port);
    client.write(`${rawPost('/', body).repeat(20)}${half}`);
    await arrived;
    client.socket.destroy();
    const finished = await app.ended(21);
    expect(new Set(finished.map((finish) => finish.llm_outcome))).toEqual(new Set(['client_gone']));
    expect(warnings).toEqual([]);
  });

  it('gets both answers, in order, when it stays, however large the one that has to wait', async () => {
    const waiting = new Map<string, ServerResponse>();
    const upstream = await startUpstream((call, res) => {
      waiting.set(call.body.includes('second') ? 'second' : 'first', res);
      const [first, second] = [waiting.get('first'), waiting.get('second')];
      if (first === undefined || second === undefined) return;
      answerJson(second, 200, chatAnswer('m', `two${'x'.repeat(4_000_000)}three`));
      answerJson(first, 200, chatAnswer('m', 'one'));
    });
    const app = await startApp({ instances: [instance('one', upstream.url)] });
    const client = await connectRaw(app.port);
    client.write(`${rawPost('/', body)}${rawPost('/', secondBody)}`);
    const received = await client.until('three');
    expect(received.indexOf('"one"')).toBeLessThan(received.indexOf('"twox'));
    expect(received.match(/HTTP\/1\.1 200 /g)).toHaveLength(2);
  });
});

describe('a response that the host application ends while the gateway is at work', () => {
  it.each([
    ['waiting for the LLM', rawPost('/', body)],
    ['reading the body', half],
  ])('ends the work: %s', async (_phase, bytes) => {
    const events = new EventEmitter();
    const upstream = await startUpstream(() => {});
    upstream.server.on('connection', (socket) => socket.on('close', () => events.emit('closed')));
    const app = await startApp(
      { instances: [instance('one', upstream.url)] },
      {
        before: (app) =>
          app.use((_req, res, next) => {
            events.once('end', () => res.status(503).end('too late'));
            next();
          }),
      },
    );
    const client = await connectRaw(app.port);
    const under = once(bytes === half ? app.server : upstream.server, 'request');
    client.write(bytes);
    await under;
    const closed = bytes === half ? undefined : once(events, 'closed');
    events.emit('end');
    expect(await client.until('too late')).toContain('HTTP/1.1 503 ');
    await app.ended(1);
    await closed;
    expect(app.middleware.status()).toMatchObject({ in_flight: 0, instances: [{ in_flight: 0 }] });
  });
});
