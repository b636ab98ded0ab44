import { describe, expect, it } from 'vitest';
import { type App, instance, post, startApp } from '../support/app.ts';
import { errorCode, type RawUpstream, rawAnswer, startRawUpstream } from '../support/broken-upstreams.ts';
import { echoModel, startUpstream } from '../support/upstream.ts';

/**
 * A server closes an idle connection while a request is on its way over it: the gateway sees a reset and no byte of an
 * answer. `onRequest` is what the server does with each request, by its number.
 */
async function start(
  onRequest: (count: number) => 'answer' | 'close' | 'reset' | 'half a head' | 'silence' | 'garbage',
  timeoutMs = 30_000,
): Promise<{ upstream: RawUpstream; app: App }> {
  const upstream = await startRawUpstream((socket, count) => {
    switch (onRequest(count)) {
      case 'answer':
        return socket.write(rawAnswer('200 OK', `{"request":${count}}`));
      case 'close':
        return socket.end();
      case 'reset':
        return socket.resetAndDestroy();
      case 'half a head':
        return socket.end('HTTP/1.1 200 OK\r\nContent-');
      case 'garbage':
        return socket.end('nonsense\r\n\r\n');
      case 'silence':
        return undefined;
    }
  });
  const app = await startApp({ timeout: timeoutMs, instances: [instance('a', upstream.url)] });
  return { upstream, app };
}

const replaysOf = (app: App): unknown => {
  const [status] = app.middleware.status().instances;
  return { attempts: status?.attempts, replays: status?.replays };
};

describe('a pooled connection that turns out closed', () => {
  it.each(['close', 'reset'] as const)(
    'by a %s is replaced, and the same request sent again',
    async (how) => {
      const { upstream, app } = await start((count) => (count === 2 ? how : 'answer'));
      await (await post(app.url, { messages: [], first: true })).text();
      const answer = await post(app.url, { messages: [], second: true });
      expect(answer.status).toBe(200);
      expect(await answer.json()).toEqual({ request: 3 });
      expect(upstream.connections).toBe(2);
      expect(upstream.requests[2]).toBe(upstream.requests[1]);
      expect(upstream.requests[2]).toContain('"second":true');
    },
  );

  it('counts in status(), and is no attempt', async () => {
    const { app } = await start((count) => (count === 2 ? 'reset' : 'answer'));
    await (await post(app.url)).text();
    await (await post(app.url)).text();
    expect(replaysOf(app)).toEqual({ attempts: 2, replays: 1 });
    expect(app.middleware.status().instances[0]?.failures).toEqual({
      refused: 0,
      reset: 0,
      timed_out: 0,
      other: 0,
    });
    expect((await app.ended(2))[1]?.llm_attempts).toMatchObject([{ instance: 'a', status: 200 }]);
  });

  it('is replaced once: the fresh one that closes as well is a failure', async () => {
    const { upstream, app } = await start((count) => (count === 1 ? 'answer' : 'reset'));
    await (await post(app.url)).text();
    const answer = await post(app.url);
    expect(answer.status).toBe(502);
    expect(errorCode(await answer.json())).toBe('upstream_reset');
    expect(upstream.requests).toHaveLength(3);
    expect(replaysOf(app)).toEqual({ attempts: 2, replays: 1 });
  });

  it('is replaced also with a body too big for one write', async () => {
    const { upstream, app } = await start((count) => (count === 2 ? 'reset' : 'answer'));
    await (await post(app.url)).text();
    const answer = await post(app.url, { messages: ['x'.repeat(300_000)] });
    expect(answer.status).toBe(200);
    expect(upstream.connections).toBe(2);
  });

  it('takes the other idle ones with it, which are as old', async () => {
    let release = (): void => {};
    const both = new Promise<void>((resolve) => {
      release = resolve;
    });
    const upstream = await startRawUpstream(async (socket, count) => {
      if (count === 2) release();
      if (count <= 2) await both;
      if (count === 3) socket.resetAndDestroy();
      else socket.write(rawAnswer('200 OK', `{"request":${count}}`));
    });
    const app = await startApp({ instances: [instance('a', upstream.url)] });
    await Promise.all([0, 1].map(async () => (await post(app.url)).text()));
    expect(upstream.connections).toBe(2);
    expect(await (await post(app.url)).json()).toEqual({ request: 4 });
    expect(upstream.connections).toBe(3);
    expect(upstream.sockets.size).toBe(1);
  });

  it('does not use up the one chance of a request to fall back', async () => {
    const upstream = await startRawUpstream((socket, count) =>
      count === 1 ? socket.write(rawAnswer('200 OK', '{}')) : socket.resetAndDestroy(),
    );
    const good = await startUpstream(echoModel());
    const app = await startApp({
      fallback_strategy: 'http_5xx',
      max_retries: 1,
      instances: [instance('a', upstream.url, { priority: 1 }), instance('b', good.url)],
    });
    await (await post(app.url)).text();
    expect((await post(app.url)).status).toBe(200);
    expect(good.calls).toHaveLength(1);
  });
});

describe('is not sent again', () => {
  it.each(['close', 'reset'] as const)('a request whose fresh connection ends in a %s', async (how) => {
    const { upstream, app } = await start(() => how);
    expect((await post(app.url)).status).toBe(502);
    expect(upstream.requests).toHaveLength(1);
    expect(replaysOf(app)).toEqual({ attempts: 1, replays: 0 });
  });

  it.each([
    ['half a head', 502],
    ['garbage', 502],
    ['silence', 504],
  ] as const)('a request that a pooled connection answered with %s', async (how, status) => {
    const { upstream, app } = await start(
      (count) => (count === 1 ? 'answer' : how),
      how === 'silence' ? 500 : 30_000,
    );
    await (await post(app.url)).text();
    expect((await post(app.url)).status).toBe(status);
    expect(upstream.requests).toHaveLength(2);
    expect(replaysOf(app)).toEqual({ attempts: 2, replays: 0 });
  });
});
