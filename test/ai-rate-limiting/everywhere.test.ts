import { type AiProxyConfig, aiProxy, type GatewayMiddleware, llmVariables } from 'ai-proxy-multi';
import express from 'express';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Handler, makeGateway } from '../frameworks/frameworks.ts';
import { bareHttp, stacks } from '../key-auth/gate.ts';
import { instance, post, serve } from '../support/app.ts';
import { echoModel, startUpstream } from '../support/upstream.ts';
import { ANSWER_TOKENS, chat, HOUR, makeLimiter, statusesOf, toldOf, toldOfRule } from './limited.ts';

const TWICE = { limit: 2 * ANSWER_TOKENS, time_window: HOUR };

async function startGateway(): Promise<Handler> {
  const upstream = await startUpstream(echoModel());
  return makeGateway({ instances: [instance('a', upstream.url)] });
}

describe.each(stacks)('in $name', ({ listenerOf }) => {
  it('requests are limited', async () => {
    const { limiter } = makeLimiter(TWICE);
    const { url } = await serve(listenerOf([limiter, await startGateway()]));
    expect(await statusesOf(url, 3)).toEqual([200, 200, 503]);
  });

  it('requests are limited by the consumer that another middleware has found', async () => {
    const { limiter } = makeLimiter({ rules: [{ key: '$consumer_name', count: 1, time_window: HOUR }] });
    const know: Handler = (req, res, next) => {
      Object.assign(res, { locals: { consumer: { username: req.headers['x-user'] } } });
      next();
    };
    const { url } = await serve(listenerOf([limiter, know, await startGateway()]));
    expect(await statusesOf(url, 2, { 'x-user': 'jane' })).toEqual([200, 503]);
    expect((await chat(url, { 'x-user': 'john' })).status).toBe(200);
  });
});

describe('in Express', () => {
  it('requests are limited below a mount point', async () => {
    const { limiter } = makeLimiter(TWICE);
    const app = express();
    app.use('/ai', limiter, await startGateway());
    const { url } = await serve(app);
    expect(await statusesOf(`${url}/ai/v1/chat/completions`, 3)).toEqual([200, 200, 503]);
  });

  it('the address that trust proxy gives tells callers apart', async () => {
    const { limiter } = makeLimiter({ rules: [{ key: '$remote_addr', count: 1, time_window: HOUR }] });
    const app = express();
    app.set('trust proxy', true);
    app.use(limiter, await startGateway());
    const { url } = await serve(app);
    expect(await statusesOf(url, 2, { 'x-forwarded-for': '192.0.2.1' })).toEqual([200, 503]);
    expect((await chat(url, { 'x-forwarded-for': '192.0.2.2' })).status).toBe(200);
  });

  it('a route without the limiter is not limited', async () => {
    const { limiter } = makeLimiter({ limit: 1, time_window: HOUR });
    const gateway = await startGateway();
    const app = express();
    app.use('/limited', limiter, gateway);
    app.use('/free', gateway);
    const { url } = await serve(app);
    expect(await statusesOf(`${url}/limited`, 2)).toEqual([200, 503]);
    expect(await statusesOf(`${url}/free`, 2)).toEqual([200, 200]);
  });
});

describe('in front of aiProxy', () => {
  async function startSingle(limiter: Handler, provider: AiProxyConfig['provider']): Promise<string> {
    const upstream = await startUpstream(echoModel());
    const gateway: GatewayMiddleware<AiProxyConfig> = aiProxy({
      provider,
      auth: {},
      override: { endpoint: upstream.url },
    });
    onTestFinished(() => gateway.close());
    return (await serve(bareHttp.listenerOf([limiter, gateway]))).url;
  }

  it.each(['deepseek', 'openai'] as const)('the instance is called ai-proxy-%s', async (provider) => {
    const name = `ai-proxy-${provider}`;
    const { limiter } = makeLimiter({ instances: [{ name, limit: 40, time_window: HOUR }] });
    const url = await startSingle(limiter, provider);
    expect(toldOf(await chat(url), name)).toEqual({ limit: 40, remaining: 40, reset: HOUR });
    expect(await statusesOf(url, 2)).toEqual([200, 503]);
  });

  it('a rule limits as well', async () => {
    const { limiter } = makeLimiter({ rules: [{ key: '$http_x_user', count: 1, time_window: HOUR }] });
    const url = await startSingle(limiter, 'deepseek');
    expect(await statusesOf(url, 2, { 'x-user': 'jane' })).toEqual([200, 503]);
  });
});

describe('in front of a gateway that hands its answers over', () => {
  async function startHandingOver(limiter: Handler) {
    const upstream = await startUpstream(echoModel());
    const gateway = makeGateway({
      providers: [{ name: 'openai', model: 'gpt-4', auth: {}, override: { endpoint: upstream.url } }],
      passthrough: true,
    });
    const handed: Record<string, unknown>[] = [];
    const take: Handler = (_req, res) => {
      handed.push(llmVariables(res));
      res.end('handed over');
    };
    const { url } = await serve(bareHttp.listenerOf([limiter, gateway, take]));
    return { url, handed };
  }

  it('requests are limited', async () => {
    const { url, handed } = await startHandingOver(makeLimiter(TWICE).limiter);
    expect(await statusesOf(url, 3)).toEqual([200, 200, 503]);
    expect(handed).toHaveLength(2);
  });

  it('the quota is told in the headers of whoever answers', async () => {
    const { url } = await startHandingOver(makeLimiter(TWICE).limiter);
    await chat(url);
    const answer = await post(url);
    expect([await answer.text(), toldOf(answer, 'openai').remaining]).toEqual(['handed over', ANSWER_TOKENS]);
  });

  it('what was used is known to whoever answers', async () => {
    const { url, handed } = await startHandingOver(makeLimiter(TWICE).limiter);
    await chat(url);
    expect(handed).toMatchObject([{ llm_usage_source: 'reported', llm_total_tokens: ANSWER_TOKENS }]);
  });

  it('a rule is charged too', async () => {
    const { limiter } = makeLimiter({ rules: [{ key: '$http_x_user', count: 100, time_window: HOUR }] });
    const { url } = await startHandingOver(limiter);
    await chat(url, { 'x-user': 'jane' });
    expect(toldOfRule(await chat(url, { 'x-user': 'jane' }), 1).remaining).toBe(100 - ANSWER_TOKENS);
  });
});
