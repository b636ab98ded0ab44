import { aiProxyMulti, keyAuth, type RateLimitingMiddleware } from 'ai-proxy-multi';
import express from 'express';
import { describe, expect, it, onTestFinished } from 'vitest';
import { instance, type LogLine, post, serve } from '../support/app.ts';
import { answerJson, chatAnswer, echoModel, startUpstream } from '../support/upstream.ts';
import { chat, HOUR, makeLimiter, startLimited } from './limited.ts';

const LIMITS = { limit: 1000, time_window: HOUR };

interface Lonely {
  readonly url: string;
  readonly limiter: RateLimitingMiddleware;
  readonly logs: readonly LogLine[];
  /** Resolves when the responses so far have closed: the warning waits for that. */
  closed(): Promise<void>;
}

/** A limiter with something behind it that is no gateway. */
async function startLonely(behind: express.RequestHandler): Promise<Lonely> {
  const { limiter, logs } = makeLimiter(LIMITS);
  const closes: Promise<unknown>[] = [];
  const app = express();
  app.use(limiter);
  // Behind the limiter, so that its listener is called before this one.
  app.use((_req, res, next) => {
    closes.push(new Promise((resolve) => res.once('close', resolve)));
    next();
  });
  app.use(behind);
  const { url } = await serve(app);
  return {
    url,
    limiter,
    logs,
    async closed() {
      await Promise.all(closes);
    },
  };
}

const WARNING = {
  level: 'warn',
  message: expect.stringMatching(/no ai-proxy-multi behind it .* nothing is limited/),
};

describe('a limiter without a gateway behind it', () => {
  it('warns once, when requests have been served', async () => {
    const { url, logs, closed } = await startLonely((_req, res) => res.json({}));
    for (let index = 0; index < 3; index++) await (await post(url)).text();
    await closed();
    expect(logs).toMatchObject([WARNING]);
  });

  it('serves them all the same', async () => {
    const { url } = await startLonely((_req, res) => res.json({ hello: 'there' }));
    const answer = await post(url);
    expect([answer.status, await answer.json()]).toEqual([200, { hello: 'there' }]);
  });

  it('does not warn of requests that were refused before they came to a gateway', async () => {
    const { url, logs, closed } = await startLonely((_req, res) => res.sendStatus(401));
    for (let index = 0; index < 3; index++) await (await post(url)).text();
    await closed();
    expect(logs).toEqual([]);
  });

  it('does not warn of GETs: pages and health checks', async () => {
    const { url, logs, closed } = await startLonely((_req, res) => res.send('healthy'));
    for (let index = 0; index < 3; index++) await (await fetch(url)).text();
    await closed();
    expect(logs).toEqual([]);
  });

  it('warns of a POST after all those', async () => {
    const { url, logs, closed } = await startLonely((_req, res) => res.send('ok'));
    await (await fetch(url)).text();
    await (await post(url)).text();
    await closed();
    expect(logs).toMatchObject([WARNING]);
  });
});

describe('a limiter with a gateway behind it', () => {
  it('does not warn', async () => {
    const { url, logs } = await startLimited(LIMITS);
    for (let index = 0; index < 3; index++) await chat(url);
    expect(logs).toEqual([]);
  });

  it('does not warn of other requests from then on', async () => {
    const { url, logs } = await startLimited(LIMITS, {
      between: (app) => app.post('/login', (_req, res) => res.json({})),
    });
    await chat(url);
    await (await post(`${url}/login`)).text();
    await chat(url);
    expect(logs).toEqual([]);
  });

  it('does not warn where an update comes while the first request is under way', async () => {
    let give = (): void => {};
    let arrived = (): void => {};
    const asked = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const { url, limiter, logs } = await startLimited(LIMITS, {
      script(_call, res) {
        give = () => answerJson(res, 200, chatAnswer('late'));
        arrived();
      },
    });
    const answer = chat(url);
    await asked;
    limiter.update({ ...LIMITS, limit: 2000 });
    give();
    await answer;
    await fetch(`${url}/v1/models`);
    expect(logs).toEqual([]);
  });

  it('does not warn where each caller has a limit of his own in its place', async () => {
    const upstream = await startUpstream(echoModel());
    const { limiter, logs } = makeLimiter(LIMITS);
    const consumers = [
      {
        username: 'jane',
        plugins: { 'key-auth': { key: 'jane-key' }, 'ai-rate-limiting': { limit: 10, time_window: HOUR } },
      },
    ];
    const gateway = aiProxyMulti({ instances: [instance('a', upstream.url)] });
    const gate = keyAuth({}, { consumers });
    onTestFinished(async () => {
      await gateway.close();
      await gate.close();
    });
    const app = express();
    const closes: Promise<unknown>[] = [];
    app.use(limiter, (_req, res, next) => {
      closes.push(new Promise((resolve) => res.once('close', resolve)));
      next();
    });
    app.use(gate, gateway);
    const { url } = await serve(app);
    const answer = await post(url, undefined, { headers: { apikey: 'jane-key' } });
    await answer.text();
    await Promise.all(closes);
    expect([answer.status, logs]).toEqual([200, []]);
  });
});
