import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { type App, instance, post, startApp } from '../support/app.ts';
import { rawAnswer, startRawUpstream } from '../support/broken-upstreams.ts';
import { type HoldingUpstream, startHolding } from '../support/holding-upstream.ts';
import { connectRaw, rawPost } from '../support/raw.ts';
import { echoModel, startUpstream } from '../support/upstream.ts';

async function ask(app: App): Promise<void> {
  const answer = await post(app.url);
  expect(answer.status).toBe(200);
  await answer.text();
}

/** Requests that are all under way before the first is answered. */
async function askTogether(app: App, upstream: HoldingUpstream, count: number): Promise<void> {
  const answers = Array.from({ length: count }, () => ask(app));
  await upstream.holding(count);
  upstream.release();
  await Promise.all(answers);
}

async function closedDownTo(sockets: ReadonlySet<Socket>, count: number): Promise<void> {
  while (sockets.size > count) await Promise.race([...sockets].map((socket) => once(socket, 'close')));
}

describe('connections to an instance', () => {
  it('are kept: five requests after each other take one', async () => {
    const upstream = await startUpstream(echoModel());
    const app = await startApp({ instances: [instance('a', upstream.url)] });
    for (let index = 0; index < 5; index++) await ask(app);
    expect(upstream.connections).toBe(1);
    expect(upstream.calls.map((call) => call.headers.connection)).toEqual(Array(5).fill('keep-alive'));
  });

  it('are not kept with keepalive: false', async () => {
    const upstream = await startUpstream(echoModel());
    const app = await startApp({ keepalive: false, instances: [instance('a', upstream.url)] });
    for (let index = 0; index < 3; index++) await ask(app);
    expect(upstream.connections).toBe(3);
    expect(upstream.calls[0]?.headers.connection).toBe('close');
    await closedDownTo(upstream.sockets, 0);
  });

  it('are not shared between instances, not even of one host', async () => {
    const upstream = await startUpstream(echoModel());
    const app = await startApp({ instances: [instance('a', upstream.url), instance('b', upstream.url)] });
    for (let index = 0; index < 4; index++) await ask(app);
    expect(upstream.connections).toBe(2);
  });

  it('are not limited by keepalive_pool, which bounds the idle ones', async () => {
    const upstream = await startHolding();
    // It would keep idle connections for ever.
    upstream.server.keepAliveTimeout = 0;
    const app = await startApp({ keepalive_pool: 2, instances: [instance('a', upstream.url)] });
    await askTogether(app, upstream, 5);
    expect(upstream.connections).toBe(5);
    await closedDownTo(upstream.sockets, 2);
    await askTogether(app, upstream, 2);
    expect(upstream.connections).toBe(5);
    expect(upstream.sockets.size).toBe(2);
  });

  it('are closed when they have been idle for keepalive_timeout', async () => {
    const upstream = await startHolding();
    // It would keep idle connections for ever.
    upstream.server.keepAliveTimeout = 0;
    const app = await startApp({ keepalive_timeout: 1000, instances: [instance('a', upstream.url)] });
    await askTogether(app, upstream, 1);
    await closedDownTo(upstream.sockets, 0);
    await askTogether(app, upstream, 1);
    expect(upstream.connections).toBe(2);
    expect(app.middleware.status().instances[0]?.replays).toBe(0);
  });
});

/**
 * APISIX puts a half-read connection back into its pool when a body stalls: the next request is sent on it and gets
 * the rest of the earlier answer. Here each way of leaving an answer half read must cost the connection.
 */
describe('a connection whose answer was not read to its end is not used again', () => {
  const half = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n';

  it('after a body that stalled past the time-out', async () => {
    const upstream = await startRawUpstream((socket, count) =>
      socket.write(count === 1 ? `${half}{"stalled":` : rawAnswer('200 OK', '{"whole":true}')),
    );
    const app = await startApp({ timeout: 500, instances: [instance('a', upstream.url)] });
    const first = await post(app.url);
    await expect(first.text()).rejects.toThrow();
    const second = await post(app.url);
    expect(await second.json()).toEqual({ whole: true });
    expect(upstream.connections).toBe(2);
    expect(upstream.sockets.size).toBe(1);
  });

  it('after a body that stalled before its first byte, nor for the fallback', async () => {
    const upstream = await startRawUpstream((socket, count) =>
      socket.write(count === 1 ? half : rawAnswer('200 OK', '{"whole":true}')),
    );
    const app = await startApp({
      timeout: 500,
      fallback_strategy: 'http_5xx',
      instances: [instance('a', upstream.url), instance('b', upstream.url)],
    });
    expect(await (await post(app.url)).json()).toEqual({ whole: true });
    expect(upstream.connections).toBe(2);
  });

  it('after a client that hung up in the middle of it', async () => {
    const upstream = await startRawUpstream((socket, count) =>
      socket.write(count === 1 ? `${half}{"half":` : rawAnswer('200 OK', '{"whole":true}')),
    );
    const app = await startApp({ instances: [instance('a', upstream.url)] });
    const client = await connectRaw(app.port);
    client.write(rawPost('/', '{"messages":[]}'));
    await client.until('{"half":');
    client.socket.destroy();
    await upstream.deserted();
    expect(await (await post(app.url)).json()).toEqual({ whole: true });
    expect(upstream.connections).toBe(2);
  });

  it('after an answer larger than max_response_bytes', async () => {
    const upstream = await startRawUpstream((socket, count) =>
      socket.write(count === 1 ? `${half}{"large":` : rawAnswer('200 OK', '{"whole":true}')),
    );
    const app = await startApp({ max_response_bytes: 50, instances: [instance('a', upstream.url)] });
    expect((await post(app.url)).status).toBe(502);
    expect(await (await post(app.url)).json()).toEqual({ whole: true });
    expect(upstream.connections).toBe(2);
  });

  it('after an upstream that sent more than it had announced', async () => {
    const upstream = await startRawUpstream((socket, count) =>
      socket.write(
        count === 1
          ? rawAnswer('200 OK', '{"mine":1}') + rawAnswer('200 OK', '{"poison":1}')
          : rawAnswer('200 OK', '{"whole":true}'),
      ),
    );
    const app = await startApp({ instances: [instance('a', upstream.url)] });
    expect(await (await post(app.url)).json()).toEqual({ mine: 1 });
    expect(await (await post(app.url)).json()).toEqual({ whole: true });
  });

  it('while one whose answer the client did not wait for, but that was read, is', async () => {
    const upstream = await startUpstream(echoModel());
    const app = await startApp({ instances: [instance('a', upstream.url)] });
    const client = await connectRaw(app.port);
    client.write(rawPost('/', '{"messages":[]}'));
    await client.until('chat.completion');
    client.socket.destroy();
    await ask(app);
    expect(upstream.connections).toBe(1);
  });
});
