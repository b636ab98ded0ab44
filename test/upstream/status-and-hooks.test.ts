import { type AttemptRecord, aiProxyMulti } from 'ai-proxy-multi';
import { describe, expect, it } from 'vitest';
import { stderrLogger } from '../../lib/host.ts';
import { instance, post, serve, startApp } from '../support/app.ts';
import { failures, startRawUpstream } from '../support/broken-upstreams.ts';
import { startHolding } from '../support/holding-upstream.ts';
import { ownPort } from '../support/own-port.ts';
import { answerJson, echoModel, startUpstream } from '../support/upstream.ts';

describe('status()', () => {
  it('tells of an instance that has done nothing yet', async () => {
    const app = await startApp({
      instances: [instance('a', 'http://127.0.0.1:1', { weight: 3, priority: -2 })],
    });
    expect(app.middleware.status()).toEqual({
      in_flight: 0,
      requests: { complete: 0, cut: 0, client_gone: 0, timeout: 0, rejected: 0 },
      recent_fallbacks: [],
      instances: [
        {
          name: 'a',
          provider: 'openai-compatible',
          model: 'model-a',
          priority: -2,
          weight: 3,
          tier: 0,
          health: { state: 'unchecked' },
          share: { configured: 1 },
          in_flight: 0,
          attempts: 0,
          answers: { '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0 },
          failures: { refused: 0, reset: 0, timed_out: 0, other: 0 },
          fallbacks: { out: 0, in: 0 },
          replays: 0,
          tokens: { prompt: 0, completion: 0, total: 0 },
          minutes: [{ attempts: 0, errors: 0, tokens: 0 }],
        },
      ],
    });
  });

  it('counts answers by the class of their status', async () => {
    const statuses = [200, 201, 304, 400, 429, 500];
    const upstream = await startUpstream((_call, res) => answerJson(res, statuses.shift() ?? 200, {}));
    const app = await startApp({ instances: [instance('a', upstream.url)] });
    for (let index = 0; index < 6; index++) await (await post(app.url)).text();
    expect(app.middleware.status().instances[0]).toMatchObject({
      attempts: 6,
      in_flight: 0,
      answers: { '2xx': 2, '3xx': 1, '4xx': 2, '5xx': 1 },
      fallbacks: { out: 0, in: 0 },
    });
  });

  it.each([
    ['overloaded_error', '5xx'],
    ['rate_limit_error', '4xx'],
    ['api_error', '5xx'],
  ])('counts a 200 whose first event is an error, %s, as the status it stands for', async (type, counted) => {
    const event = `event: error\ndata: ${JSON.stringify({ type: 'error', error: { type, message: 'x' } })}\n\n`;
    const upstream = await startUpstream((_call, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.end(event);
    });
    const app = await startApp({ instances: [instance('a', upstream.url)] });
    await (await post(app.url, { messages: [], stream: true })).text();
    expect(app.middleware.status().instances[0]?.answers).toEqual({
      ...{ '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0 },
      [counted]: 1,
    });
  });

  it('counts an answer that breaks off before its first byte as a failure, and as nothing else', async () => {
    const upstream = await startUpstream((_call, res) => {
      res.writeHead(200, { 'content-type': 'application/json' });
      res.flushHeaders();
      setImmediate(() => res.destroy());
    });
    const app = await startApp({ instances: [instance('a', upstream.url)] });
    await (await post(app.url)).text();
    expect(app.middleware.status().instances[0]).toMatchObject({
      answers: { '2xx': 0 },
      failures: { reset: 1 },
    });
  });

  it.each([
    ['refused', async () => `http://127.0.0.1:${await ownPort()}`],
    ['reset', async () => (await startRawUpstream(failures['closes the connection before the head'])).url],
    ['timed_out', async () => (await startRawUpstream(failures['says nothing'])).url],
    ['other', async () => (await startRawUpstream(failures['answers something that is not HTTP'])).url],
  ])('counts a failure as %s, and the fallback from it', async (kind, endpoint) => {
    const good = await startUpstream(echoModel());
    const app = await startApp({
      fallback_strategy: 'http_5xx',
      timeout: kind === 'timed_out' ? 500 : 30_000,
      instances: [instance('bad', await endpoint(), { priority: 1 }), instance('good', good.url)],
    });
    await (await post(app.url)).text();
    const [bad, well] = app.middleware.status().instances;
    const none = { refused: 0, reset: 0, timed_out: 0, other: 0 };
    expect(bad).toMatchObject({
      attempts: 1,
      fallbacks: { out: 1, in: 0 },
      failures: { ...none, [kind]: 1 },
    });
    expect(well).toMatchObject({
      attempts: 1,
      fallbacks: { out: 0, in: 1 },
      failures: none,
      answers: { '2xx': 1 },
    });
  });

  it('counts no fallback where there was nobody to fall back to', async () => {
    const app = await startApp({
      fallback_strategy: 'http_5xx',
      instances: [instance('bad', `http://127.0.0.1:${await ownPort()}`)],
    });
    await (await post(app.url)).text();
    expect(app.middleware.status().instances[0]).toMatchObject({ attempts: 1, fallbacks: { out: 0 } });
  });

  it('counts what is under way', async () => {
    const holding = await startHolding();
    const app = await startApp({ instances: [instance('a', holding.url)] });
    const answers = [post(app.url), post(app.url)];
    await holding.holding(2);
    expect(app.middleware.status()).toMatchObject({ in_flight: 2, instances: [{ in_flight: 2 }] });
    holding.release();
    await Promise.all(answers.map(async (answer) => (await answer).text()));
    await app.ended(2);
    expect(app.middleware.status()).toMatchObject({ in_flight: 0, instances: [{ in_flight: 0 }] });
  });

  it('is JSON without secrets, and a copy', async () => {
    const upstream = await startUpstream(echoModel());
    const app = await startApp({ instances: [instance('a', upstream.url)] });
    const before = app.middleware.status();
    await (await post(app.url)).text();
    expect(before.instances[0]?.answers['2xx']).toBe(0);
    const status = app.middleware.status();
    expect(JSON.parse(JSON.stringify(status))).toEqual(status);
    expect(JSON.stringify(status)).not.toContain('key-a');
  });
});

describe('host.onAttempt and host.onFinish', () => {
  it('are called with plain data after each attempt, and once at the end', async () => {
    const bad = await startUpstream((_call, res) => answerJson(res, 503, {}));
    const refusing = `http://127.0.0.1:${await ownPort()}`;
    const good = await startUpstream(echoModel());
    const calls: (AttemptRecord | string)[] = [];
    const app = await startApp(
      {
        fallback_strategy: 'http_5xx',
        instances: [
          instance('bad', bad.url, { priority: 2 }),
          instance('refusing', refusing, { priority: 1 }),
          instance('good', good.url),
        ],
      },
      {
        host: {
          onAttempt: (attempt) => calls.push(attempt),
          onFinish: (finish) => calls.push(`${finish.llm_instance} ${finish.llm_outcome}`),
        },
      },
    );
    await (await post(app.url)).text();
    await app.ended(1);
    const duration_ms = expect.any(Number);
    expect(calls).toEqual([
      { instance: 'bad', status: 503, duration_ms },
      { instance: 'refusing', error: 'upstream_unreachable', duration_ms },
      { instance: 'good', status: 200, duration_ms },
      'good complete',
    ]);
    expect(JSON.parse(JSON.stringify(calls))).toEqual(calls);
  });

  it.each([
    [
      'throw',
      () => {
        throw new Error('of the hook');
      },
    ],
    [
      'throw something odd',
      () => {
        throw undefined;
      },
    ],
  ])('that %s change nothing, and are logged', async (_how, hook) => {
    const bad = await startUpstream((_call, res) => answerJson(res, 500, {}));
    const good = await startUpstream(echoModel());
    const app = await startApp(
      {
        fallback_strategy: 'http_5xx',
        instances: [instance('bad', bad.url, { priority: 1 }), instance('good', good.url)],
      },
      { host: { onAttempt: hook, onFinish: hook } },
    );
    const answer = await post(app.url);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ model: 'model-good' });
    await app.middleware.close();
    const logged = app.logs.filter(({ level }) => level === 'error').map(({ data }) => data.hook);
    expect(logged).toEqual(['onAttempt', 'onAttempt', 'onFinish']);
    expect(app.middleware.status()).toMatchObject({
      in_flight: 0,
      instances: [{ in_flight: 0 }, { in_flight: 0 }],
    });
  });

  it('that reject change nothing, and are logged', async () => {
    const good = await startUpstream(echoModel());
    const failed: unknown[] = [];
    const hook = (): Promise<void> => Promise.reject(new Error('of the hook'));
    const middleware = aiProxyMulti(
      { instances: [instance('good', good.url)] },
      {
        onAttempt: hook,
        onFinish: hook,
        logger: { ...stderrLogger, error: (data) => failed.push('hook' in data ? data.hook : data) },
      },
    );
    const { url } = await serve(middleware);
    expect(await (await post(url)).json()).toMatchObject({ model: 'model-good' });
    await middleware.close();
    await new Promise(setImmediate);
    expect(failed).toEqual(['onAttempt', 'onFinish']);
  });
});

describe('a host.logger that throws', () => {
  it('fails no request', async () => {
    const broken = (): never => {
      throw new Error('the disk is full');
    };
    const app = await startApp(
      { instances: [instance('bad', `http://127.0.0.1:${await ownPort()}`)] },
      { host: { logger: { debug: broken, info: broken, warn: broken, error: broken } } },
    );
    expect((await post(app.url)).status).toBe(502);
  });
});
