import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { describe, expect, it, onTestFinished } from 'vitest';
import { instance, post, startApp } from '../support/app.ts';
import { errorCode, rawAnswer, startRawUpstream } from '../support/broken-upstreams.ts';
import { answerJson, echoModel, startUpstream } from '../support/upstream.ts';

const TIMEOUT_MS = 80;
/** Where something else has to be in time, on a machine that is busy. */
const LONGER_MS = 500;

/** No socket buffer takes that much. */
const HUGE = JSON.stringify({ messages: ['x'.repeat(16 * 1024 * 1024)] });

/** A port whose queue of connections is full: the kernel answers no further one, and nobody accepts any. */
async function startFullQueue(): Promise<{ port: number; probe: net.Socket }> {
  const worker = new Worker(
    `const { parentPort } = require('node:worker_threads');
     const server = require('node:net').createServer();
     server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
       parentPort.postMessage(server.address().port);
       Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
     });`,
    { eval: true },
  );
  const [port] = await once(worker, 'message');
  const connect = (): net.Socket => net.connect(port, '127.0.0.1').on('error', () => {});
  const sockets = [connect(), connect()];
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  const probe = connect();
  onTestFinished(async () => {
    for (const socket of [...sockets, probe]) socket.destroy();
    await worker.terminate();
  });
  return { port, probe };
}

describe('timeout covers', () => {
  it('connecting', async () => {
    const { port, probe } = await startFullQueue();
    const app = await startApp({
      timeout: TIMEOUT_MS,
      instances: [instance('a', `http://127.0.0.1:${port}`)],
    });
    const answer = await post(app.url);
    expect(answer.status).toBe(504);
    expect(errorCode(await answer.json())).toBe('upstream_timeout');
    // Somebody else who came before has not been let in either.
    expect(probe.connecting).toBe(true);
  });

  it('the TLS handshake', async () => {
    const silent = await startRawUpstream(() => {});
    const good = await startUpstream(echoModel());
    const app = await startApp({
      timeout: LONGER_MS,
      fallback_strategy: 'http_5xx',
      instances: [
        instance('a', `https://127.0.0.1:${silent.port}`, { priority: 1 }),
        instance('b', good.url),
      ],
    });
    expect((await post(app.url)).status).toBe(200);
    expect(silent.connections).toBe(1);
    await silent.deserted();
    expect((await app.ended(1))[0]?.llm_attempts).toMatchObject([{ error: 'upstream_timeout' }, {}]);
  });

  it.each([{ strategy: 'http_5xx' as const }, { strategy: undefined }])(
    'an upstream that refuses to read a big body, with the strategy $strategy',
    async ({ strategy }) => {
      const deaf = await startRawUpstream(
        () => {},
        (socket) => socket.once('data', () => socket.pause()),
      );
      const good = await startUpstream(echoModel());
      const app = await startApp({
        // With a strategy the other one has to take all of it in time.
        timeout: (strategy === undefined ? 2 : 12) * LONGER_MS,
        ...(strategy === undefined ? {} : { fallback_strategy: strategy }),
        instances: [instance('a', deaf.url, { priority: 1 }), instance('b', good.url)],
      });
      const answer = await post(app.url, HUGE);
      expect(answer.status).toBe(strategy === undefined ? 504 : 200);
      expect(good.calls).toHaveLength(strategy === undefined ? 0 : 1);
      if (strategy !== undefined) expect(good.calls[0]?.body.length).toBeGreaterThan(16 * 1024 * 1024);
    },
  );

  it('an upstream that sends interim answers for ever', async () => {
    const restless = await startRawUpstream((socket) => {
      const telling = setInterval(() => socket.write('HTTP/1.1 102 Processing\r\n\r\n'), 50);
      socket.on('close', () => clearInterval(telling));
    });
    const good = await startUpstream(echoModel());
    const app = await startApp({
      timeout: LONGER_MS,
      fallback_strategy: 'http_5xx',
      instances: [instance('a', restless.url, { priority: 1 }), instance('b', good.url)],
    });
    expect((await post(app.url)).status).toBe(200);
    expect((await app.ended(1))[0]?.llm_attempts).toMatchObject([{ error: 'upstream_timeout' }, {}]);
    await restless.deserted();
  });

  it('each silence, not the whole of an answer that keeps coming', async () => {
    const upstream = await startUpstream(async (_call, res) => {
      res.writeHead(200, { 'content-type': 'application/json' });
      res.write('{"a":"');
      for (let index = 0; index < 16; index++) {
        await wait(100);
        res.write('.');
      }
      res.end('"}');
    });
    const app = await startApp({ timeout: 1200, instances: [instance('a', upstream.url)] });
    expect(await (await post(app.url)).json()).toEqual({ a: '................' });
  });

  it('no more than the request it is for: an idle connection outlives it', async () => {
    const upstream = await startUpstream((_call, res) => answerJson(res, 200, {}));
    upstream.server.keepAliveTimeout = 0;
    const app = await startApp({ timeout: LONGER_MS, instances: [instance('a', upstream.url)] });
    await (await post(app.url)).text();
    await wait(2 * LONGER_MS);
    await (await post(app.url)).text();
    expect(upstream.connections).toBe(1);
    expect(app.middleware.status().instances[0]?.replays).toBe(0);
  });
});

describe('an upstream that answers before it has read the body', () => {
  it('has its answer passed on, and is read to by nobody after that', async () => {
    const early = await startRawUpstream(
      (socket) => socket.write(rawAnswer('413 Too Large', '{"error":"too large"}')),
      (socket) => socket.once('data', () => socket.pause()),
    );
    const app = await startApp({ instances: [instance('a', early.url)] });
    const answer = await post(app.url, HUGE);
    expect(answer.status).toBe(413);
    expect(await answer.json()).toEqual({ error: 'too large' });
    await app.middleware.close();
    const [socket] = early.sockets;
    socket?.resume();
    await early.deserted();
    expect(socket?.bytesRead).toBeLessThan(HUGE.length);
  });
});
