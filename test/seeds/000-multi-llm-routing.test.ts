import { describe, expect, it } from 'vitest';
import { countOf, modelIn } from '../balancer/ask.ts';
import { type AppOptions, post, startApp } from '../support/app.ts';
import { type Llm, startLlm } from './llm.ts';
import { startSeed } from './seed.ts';

/** The request at the end of the page. */
const hello = { messages: [{ role: 'user', content: 'Hello' }] };

async function modelsOf(url: string, count: number): Promise<string[]> {
  const models: string[] = [];
  for (let index = 0; index < count; index++) models.push(modelIn(await (await post(url, hello)).text()));
  return models;
}

async function startFailover(options: AppOptions = {}) {
  const openai = await startLlm('gpt-4o');
  const anthropic = await startLlm('claude-sonnet-4-20250514');
  const origins = { 'openai-primary': openai.url, 'anthropic-fallback': anthropic.url };
  const app = await startSeed('000-failover', origins, { mount: '/ai', ...options });
  return { openai, anthropic, app, url: `${app.url}/ai` };
}

/** The page's own reading: 1 is the highest priority. */
const pagesOrder = { host: { priorityOrder: 'lowest-first' } } as const;

function callsOf(...llms: Llm[]): number[] {
  return llms.map(({ calls }) => calls.length);
}

describe('seed 000, weighted load balancing', () => {
  it('sends 8 of 10 requests to gpt-4o-mini and 2 to gpt-4o', async () => {
    const mini = await startLlm('gpt-4o-mini');
    const premium = await startLlm('gpt-4o');
    const origins = { 'gpt-4o-mini': mini.url, 'gpt-4o': premium.url };
    const app = await startSeed('000-weighted', origins, { mount: '/ai' });
    const models = await modelsOf(`${app.url}/ai`, 10);
    expect(countOf(models, 'gpt-4o-mini')).toBe(8);
    expect(countOf(models, 'gpt-4o')).toBe(2);
    expect(mini.sent()).toEqual({ ...hello, model: 'gpt-4o-mini' });
    expect(premium.calls[0]).toMatchObject({
      method: 'POST',
      url: '/v1/chat/completions',
      headers: { authorization: 'Bearer openai-key' },
    });
  });
});

describe('seed 000, automatic failover', () => {
  it('asks OpenAI, of priority 1, first with priorityOrder lowest-first, as the page describes', async () => {
    const { url, openai, anthropic } = await startFailover(pagesOrder);
    expect(await modelsOf(url, 3)).toEqual(['gpt-4o', 'gpt-4o', 'gpt-4o']);
    expect(callsOf(openai, anthropic)).toEqual([3, 0]);
  });

  it('asks the larger number first by default, as APISIX does', async () => {
    const { url, openai, anthropic } = await startFailover();
    expect(await modelsOf(url, 1)).toEqual(['claude-sonnet-4-20250514']);
    expect(callsOf(openai, anthropic)).toEqual([0, 1]);
  });

  it.each([429, 500, 503])('falls back from OpenAI to Anthropic on %i', async (status) => {
    const { app, url, openai, anthropic } = await startFailover(pagesOrder);
    openai.fail(status);
    expect(await modelsOf(url, 1)).toEqual(['claude-sonnet-4-20250514']);
    expect(openai.sent()).toEqual({ ...hello, model: 'gpt-4o' });
    expect(anthropic.sent()).toEqual({ ...hello, model: 'claude-sonnet-4-20250514' });
    expect(anthropic.calls[0]).toMatchObject({
      url: '/v1/chat/completions',
      headers: { authorization: 'Bearer anthropic-key' },
    });
    expect(app.finished[0]?.llm_attempts).toMatchObject([
      { instance: 'openai-primary', status },
      { instance: 'anthropic-fallback', status: 200 },
    ]);
  });

  it('falls back when OpenAI is not there at all', async () => {
    const { url, openai } = await startFailover(pagesOrder);
    await openai.close();
    expect(await modelsOf(url, 1)).toEqual(['claude-sonnet-4-20250514']);
  });

  it.each([400, 401, 404])('answers a %i of OpenAI as it is, since no condition names it', async (status) => {
    const { url, openai, anthropic } = await startFailover(pagesOrder);
    openai.fail(status);
    const response = await post(url, hello);
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual({ error: { message: 'gpt-4o fails' } });
    expect(callsOf(openai, anthropic)).toEqual([1, 0]);
  });

  it('returns to OpenAI as soon as it answers again', async () => {
    const { url, openai } = await startFailover(pagesOrder);
    openai.fail(503);
    await modelsOf(url, 1);
    openai.recover();
    expect(await modelsOf(url, 1)).toEqual(['gpt-4o']);
  });
});

describe('seed 000, response streaming', () => {
  it.each([
    ['OpenAI', undefined, 'gpt-4o'],
    ['Anthropic after OpenAI failed', 429, 'claude-sonnet-4-20250514'],
  ])('streams from %s', async (_title, failure, model) => {
    const { app, url, openai } = await startFailover(pagesOrder);
    if (failure !== undefined) openai.fail(failure);
    const response = await post(url, { ...hello, stream: true });
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    const text = await response.text();
    expect(text.match(/"content":"[^"]*"/g)).toEqual(['"content":"1+1 "', '"content":"equals 2."']);
    expect(text).toContain(`"model":"${model}"`);
    expect(text).not.toContain('fails');
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
    expect(app.finished[0]).toMatchObject({
      request_type: 'ai_stream',
      llm_model: model,
      llm_total_tokens: 31,
    });
  });
});

describe('seed 000, the tables of cross-provider strategies', () => {
  const auth = { header: { Authorization: 'Bearer key' } };

  it('goes from the cheapest to the best model, in the order of the cost table', async () => {
    const llms = await Promise.all(['deepseek-chat', 'gpt-4o-mini', 'gpt-4o'].map(startLlm));
    const [cheap, middle, best] = llms;
    const override = (llm: Llm | undefined) => ({ endpoint: llm?.url ?? '' });
    const app = await startApp(
      {
        fallback_strategy: ['http_429', 'http_5xx'],
        instances: [
          {
            name: 'deepseek-primary',
            provider: 'deepseek',
            weight: 1,
            priority: 1,
            auth,
            options: { model: 'deepseek-chat' },
            override: override(cheap),
          },
          {
            name: 'gpt-4o-mini-secondary',
            provider: 'openai',
            weight: 1,
            priority: 2,
            auth,
            options: { model: 'gpt-4o-mini' },
            override: override(middle),
          },
          {
            name: 'gpt-4o-premium',
            provider: 'openai',
            weight: 1,
            priority: 3,
            auth,
            options: { model: 'gpt-4o' },
            override: override(best),
          },
        ],
      },
      pagesOrder,
    );
    expect(await modelsOf(app.url, 1)).toEqual(['deepseek-chat']);
    cheap?.fail(429);
    expect(await modelsOf(app.url, 1)).toEqual(['gpt-4o-mini']);
    middle?.fail(503);
    expect(await modelsOf(app.url, 1)).toEqual(['gpt-4o']);
  });

  it('shares 50, 30 and 20 percent, as the capacity table says', async () => {
    const pools = [
      { name: 'openai-pool', provider: 'openai', weight: 5, model: 'gpt-4o' },
      { name: 'anthropic-pool', provider: 'anthropic', weight: 3, model: 'claude-sonnet-4-20250514' },
      { name: 'deepseek-pool', provider: 'deepseek', weight: 2, model: 'deepseek-chat' },
    ] as const;
    const instances = await Promise.all(
      pools.map(async ({ model, ...pool }) => {
        const { url } = await startLlm(model);
        return { ...pool, auth, options: { model }, override: { endpoint: url } };
      }),
    );
    const app = await startApp({ instances });
    const models = await modelsOf(app.url, 10);
    expect(pools.map(({ model }) => countOf(models, model))).toEqual([5, 3, 2]);
  });
});
