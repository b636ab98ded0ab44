import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { type AiProxyMultiConfig, aiProxyMulti, ConfigError } from 'ai-proxy-multi';
import { describe, expect, it } from 'vitest';
import { instance, post, startApp } from './support/app.ts';
import { connectRaw, rawPost } from './support/raw.ts';
import {
  answerJson,
  chatEvent,
  doneEvent,
  echoModel,
  startUpstream,
  type Upstream,
} from './support/upstream.ts';

/** An LLM that begins a stream and goes on when it is told to. */
async function startPausing(): Promise<{ llm: Upstream; finish: () => void }> {
  let answering: ServerResponse | undefined;
  const llm = await startUpstream((_call, res) => {
    answering = res;
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.write(chatEvent('one'));
  });
  return { llm, finish: () => answering?.end(chatEvent('two') + doneEvent) };
}

/** A client in the middle of a stream. */
async function startStream(port: number) {
  const client = await connectRaw(port);
  client.write(rawPost('/', '{"messages":[],"stream":true}', ['Connection: close']));
  await client.until('one');
  return client;
}

async function allClosed({ sockets }: Upstream): Promise<void> {
  await Promise.all([...sockets].map((socket) => once(socket, 'close')));
}

describe('the configuration', () => {
  it('throws a ConfigError at once when it is wrong, which names every fault', () => {
    const wrong = { instances: [], timeout: 'soon', fallback_strategy: 'http_4xx' };
    try {
      Reflect.apply(aiProxyMulti, undefined, [wrong]);
      expect.unreachable();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      expect(error.errors.map(({ path }) => path).sort()).toEqual([
        'fallback_strategy',
        'instances',
        'timeout',
      ]);
      for (const { path } of error.errors) expect(error.message).toContain(path);
    }
  });

  it('is neither changed nor looked at again', async () => {
    const llm = await startUpstream(echoModel());
    const only = instance('a', llm.url);
    const config: AiProxyMultiConfig = { instances: [only] };
    const copy = structuredClone(config);
    const { url } = await startApp(config);
    expect(config).toEqual(copy);
    Object.assign(only, { options: { model: 'changed' } });
    expect(await (await post(url)).json()).toMatchObject({ model: 'model-a' });
  });
});

describe('update()', () => {
  it('serves the next request by the new configuration', async () => {
    const [before, after] = [await startUpstream(echoModel()), await startUpstream(echoModel())];
    const { url, middleware } = await startApp({ instances: [instance('before', before.url)] });
    await (await post(url)).text();
    middleware.update({ instances: [instance('after', after.url)] });
    expect(await (await post(url)).json()).toMatchObject({ model: 'model-after' });
    expect([before.calls.length, after.calls.length]).toEqual([1, 1]);
  });

  it('leaves a stream under way to the old configuration', async () => {
    const { llm, finish } = await startPausing();
    const other = await startUpstream(echoModel());
    const { port, middleware, ended } = await startApp({ instances: [instance('before', llm.url)] });
    const client = await startStream(port);
    middleware.update({ instances: [instance('after', other.url)] });
    finish();
    expect(await client.closed()).toContain('[DONE]');
    expect(await ended(1)).toMatchObject([{ llm_instance: 'before', llm_outcome: 'complete' }]);
  });

  it('lets a request under way fall back among the old instances', async () => {
    let onAsked = (_res: ServerResponse): void => {};
    const asked = new Promise<ServerResponse>((resolve) => {
      onAsked = resolve;
    });
    const failing = await startUpstream((_call, res) => onAsked(res));
    const [second, after] = [await startUpstream(echoModel()), await startUpstream(echoModel())];
    const { url, middleware } = await startApp({
      fallback_strategy: ['http_5xx'],
      instances: [instance('first', failing.url, { priority: 1 }), instance('second', second.url)],
    });
    const answer = post(url);
    const failingAnswer = await asked;
    middleware.update({ instances: [instance('after', after.url)] });
    failingAnswer.writeHead(500).end();
    expect(await (await answer).json()).toMatchObject({ model: 'model-second' });
    expect(after.calls).toEqual([]);
  });

  it("closes the old configuration's idle sockets", async () => {
    const llm = await startUpstream(echoModel());
    const { url, middleware } = await startApp({ instances: [instance('a', llm.url)] });
    await (await post(url)).text();
    const [idle] = llm.sockets;
    middleware.update({ instances: [instance('a', llm.url)] });
    if (idle?.closed === false) await once(idle, 'close');
    expect(llm.sockets.size).toBe(0);
  });

  it('throws on a wrong configuration and goes on with the old one, counts and all', async () => {
    const llm = await startUpstream(echoModel());
    const { url, middleware } = await startApp({ instances: [instance('a', llm.url)] });
    await (await post(url)).text();
    const before = middleware.status();
    expect(() => middleware.update({ instances: [instance('b', llm.url), instance('b', llm.url)] })).toThrow(
      ConfigError,
    );
    expect(middleware.status()).toEqual(before);
    expect(await (await post(url)).json()).toMatchObject({ model: 'model-a' });
    expect(llm.connections).toBe(1);
  });

  it('takes the early form, too', async () => {
    const llm = await startUpstream(echoModel());
    const { url, middleware } = await startApp({ instances: [instance('a', llm.url)] });
    middleware.update({
      providers: [{ name: 'openai', model: 'gpt-4', auth: {}, override: { endpoint: llm.url } }],
    });
    expect(await (await post(url)).json()).toMatchObject({ model: 'gpt-4' });
  });
});

describe('close()', () => {
  it('closes idle sockets', async () => {
    const llm = await startUpstream(echoModel());
    const { url, middleware } = await startApp({ instances: [instance('a', llm.url)] });
    await (await post(url)).text();
    const closed = allClosed(llm);
    await middleware.close();
    await closed;
    expect(llm.sockets.size).toBe(0);
  });

  it('resolves when the last request under way has finished, as if nothing had happened', async () => {
    const { llm, finish } = await startPausing();
    const { port, middleware } = await startApp({ instances: [instance('a', llm.url)] });
    const client = await startStream(port);
    const order: string[] = [];
    const closed = middleware.close().then(() => order.push('closed'));
    await new Promise((resolve) => setImmediate(resolve));
    order.push('finished');
    finish();
    expect(await client.closed()).toContain('[DONE]');
    await closed;
    expect(order).toEqual(['finished', 'closed']);
    await allClosed(llm);
  });

  it('waits for requests that update() left to the old configuration', async () => {
    const { llm, finish } = await startPausing();
    const { port, middleware } = await startApp({ instances: [instance('before', llm.url)] });
    const client = await startStream(port);
    middleware.update({ instances: [instance('after', llm.url)] });
    let isClosed = false;
    const closed = middleware.close().then(() => {
      isClosed = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(isClosed).toBe(false);
    finish();
    await client.closed();
    await closed;
  });

  it('can be called again, and leaves no socket idle for a request that comes later', async () => {
    const llm = await startUpstream(echoModel());
    const { url, middleware } = await startApp({ instances: [instance('a', llm.url)] });
    await middleware.close();
    await middleware.close();
    expect((await post(url)).status).toBe(200);
    await allClosed(llm);
    expect(llm.sockets.size).toBe(0);
  });
});

describe('status()', () => {
  it('says of every instance what became of its requests, as plain JSON', async () => {
    const down = await startUpstream(echoModel());
    await down.close();
    const limited = await startUpstream((_call, res) => answerJson(res, 429, {}));
    const working = await startUpstream(echoModel());
    const { url, middleware } = await startApp({
      fallback_strategy: ['http_429', 'http_5xx'],
      instances: [
        instance('down', down.url, { priority: 2 }),
        instance('limited', limited.url, { priority: 1, weight: 3 }),
        instance('working', working.url, { provider: 'openai' }),
      ],
    });
    await (await post(url)).text();
    await (await post(url)).text();
    const status = middleware.status();
    expect(status).toMatchObject({
      in_flight: 0,
      instances: [
        { name: 'down', priority: 2, attempts: 2, failures: { refused: 2 }, fallbacks: { out: 2 } },
        { name: 'limited', weight: 3, attempts: 2, answers: { '4xx': 2 }, fallbacks: { out: 2, in: 2 } },
        {
          name: 'working',
          provider: 'openai',
          model: 'model-working',
          health: { state: 'unchecked' },
          attempts: 2,
          answers: { '2xx': 2, '3xx': 0, '4xx': 0, '5xx': 0 },
          failures: { refused: 0, reset: 0, timed_out: 0, other: 0 },
          fallbacks: { out: 0, in: 2 },
          latency_ms: { p50: expect.any(Number), p95: expect.any(Number), p99: expect.any(Number) },
        },
      ],
    });
    expect(JSON.parse(JSON.stringify(status))).toEqual(status);
  });

  it('counts the requests under way', async () => {
    const { llm, finish } = await startPausing();
    const { port, middleware } = await startApp({ instances: [instance('a', llm.url)] });
    const client = await startStream(port);
    expect(middleware.status()).toMatchObject({ in_flight: 1, instances: [{ in_flight: 1 }] });
    finish();
    await client.closed();
    expect(middleware.status()).toMatchObject({ in_flight: 0, instances: [{ in_flight: 0 }] });
  });

  it('is a snapshot', async () => {
    const llm = await startUpstream(echoModel());
    const { url, middleware } = await startApp({ instances: [instance('a', llm.url)] });
    const before = middleware.status();
    await (await post(url)).text();
    expect(before.instances[0]?.answers['2xx']).toBe(0);
  });
});
