import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type App, instance, startApp } from '../support/app.ts';
import { startRawUpstream } from '../support/broken-upstreams.ts';
import { connectRaw, type RawClient, rawPost } from '../support/raw.ts';
import { answerJson, echoModel, startUpstream } from '../support/upstream.ts';

const plain = '{"messages":[]}';
const stream = '{"messages":[],"stream":true}';

async function send(app: App, body: string): Promise<RawClient> {
  const client = await connectRaw(app.port);
  client.write(rawPost('/', body));
  return client;
}

const attemptsOf = (app: App): number[] => app.middleware.status().instances.map((status) => status.attempts);

describe.each([
  { kind: 'plain', body: plain },
  { kind: 'stream', body: stream },
])('a client that hangs up on its $kind request', ({ body }) => {
  it('while its answer is waited for aborts the upstream, and no other instance is tried', async () => {
    const silent = await startRawUpstream(() => {});
    const good = await startUpstream(echoModel());
    const app = await startApp({
      fallback_strategy: ['http_429', 'http_5xx'],
      fallback_http_statuses: [499, 502, 504],
      instances: [instance('silent', silent.url, { priority: 1 }), instance('good', good.url)],
    });
    const client = await send(app, body);
    await silent.requested(1);
    client.socket.destroy();
    await silent.deserted();
    expect((await app.ended(1))[0]?.llm_outcome).toBe('client_gone');
    await app.middleware.close();
    expect(attemptsOf(app)).toEqual([1, 0]);
    expect(good.calls).toHaveLength(0);
  });

  it('after the head of the answer aborts the upstream, and no other instance is tried', async () => {
    const half = await startRawUpstream((socket) =>
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n'),
    );
    const good = await startUpstream(echoModel());
    const app = await startApp({
      fallback_strategy: 'http_5xx',
      instances: [instance('half', half.url, { priority: 1 }), instance('good', good.url)],
    });
    const client = await send(app, body);
    await half.requested(1);
    client.socket.destroy();
    await half.deserted();
    await app.ended(1);
    expect(attemptsOf(app)).toEqual([1, 0]);
  });

  it('between two attempts ends the request, and the next instance is not tried', async () => {
    const bad = await startUpstream((_call, res) => answerJson(res, 500, {}));
    const good = await startUpstream(echoModel());
    let asked = (): void => {};
    let tell = (_secret: string): void => {};
    const isAsked = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const app = await startApp(
      {
        fallback_strategy: 'http_5xx',
        instances: [
          instance('bad', bad.url, { priority: 1 }),
          instance('good', good.url, { auth: { header: { Authorization: '$secret://vault/key' } } }),
        ],
      },
      {
        host: {
          secret: () => {
            asked();
            return new Promise<string>((resolve) => {
              tell = resolve;
            });
          },
        },
      },
    );
    const client = await send(app, body);
    await isAsked;
    client.socket.destroy();
    expect((await app.ended(1))[0]?.llm_outcome).toBe('client_gone');
    tell('late');
    // A try would begin before the event loop turns.
    await nextTurn();
    await nextTurn();
    expect(attemptsOf(app)).toEqual([1, 0]);
    expect(good.connections).toBe(0);
  });

  it('while the body is being sent to the upstream aborts it', async () => {
    // Takes the head and no more of a body that no buffer holds.
    const deaf = await startRawUpstream(
      (socket) => socket.pause(),
      (socket) => socket.once('data', () => socket.pause()),
    );
    const app = await startApp({ instances: [instance('deaf', deaf.url)] });
    const padded = body.replace('[]', JSON.stringify(['x'.repeat(12 * 1024 * 1024)]));
    const client = await send(app, padded);
    await deaf.requested(1);
    client.socket.destroy();
    expect((await app.ended(1))[0]?.llm_outcome).toBe('client_gone');
    const [socket] = deaf.sockets;
    socket?.resume();
    await deaf.deserted();
    expect(socket?.bytesRead).toBeLessThan(Buffer.byteLength(padded));
    expect(app.middleware.status()).toMatchObject({ in_flight: 0, instances: [{ in_flight: 0 }] });
  });
});

it('a client that hangs up leaves the upstream socket closed, not pooled', async () => {
  const upstream = await startUpstream(() => {});
  const app = await startApp({ instances: [instance('a', upstream.url)] });
  const client = await send(app, plain);
  const [socket] = await once(upstream.server, 'connection');
  client.socket.destroy();
  await once(socket, 'close');
  expect(upstream.sockets.size).toBe(0);
});
