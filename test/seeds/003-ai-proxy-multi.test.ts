import { describe, expect, it } from 'vitest';
import { modelIn } from '../balancer/ask.ts';
import { post, startApp } from '../support/app.ts';
import { answerJson, startUpstream } from '../support/upstream.ts';
import { mathematician, startLlm } from './llm.ts';
import { asConfig, pointToLoopback, readPlugin, setKeys, startSeed } from './seed.ts';

/** One of the page's routes under /anything, its OpenAI answering as gpt-4-0613 does there. */
async function startPage(name: string) {
  const openai = await startLlm('gpt-4-0613');
  const deepseek = await startLlm('deepseek-chat');
  const origins = { 'openai-instance': openai.url, 'deepseek-instance': deepseek.url };
  const app = await startSeed(name, origins, { mount: '/anything' });
  return { app, url: `${app.url}/anything`, openai, deepseek };
}

async function modelOf(url: string): Promise<string> {
  return modelIn(await (await post(url, mathematician)).text());
}

describe('seed 003, load balance between instances', () => {
  it("counts 8 and 2 in the page's own loop over ten requests", async () => {
    const { url } = await startPage('003-load-balance');
    let openaiCount = 0;
    let deepseekCount = 0;
    for (let i = 1; i <= 10; i++) {
      const model = await modelOf(url);
      if (model.includes('gpt-4')) openaiCount++;
      else if (model === 'deepseek-chat') deepseekCount++;
    }
    expect({ openaiCount, deepseekCount }).toEqual({ openaiCount: 8, deepseekCount: 2 });
  });

  it('sends each its own model, key and path', async () => {
    const { url, openai, deepseek } = await startPage('003-load-balance');
    for (let i = 0; i < 10; i++) await modelOf(url);
    expect(openai.calls[0]).toMatchObject({
      url: '/v1/chat/completions',
      headers: { authorization: 'Bearer openai-key' },
    });
    expect(deepseek.calls[0]).toMatchObject({
      url: '/chat/completions',
      headers: { authorization: 'Bearer deepseek-key' },
    });
    expect(openai.sent()).toEqual({ ...mathematician, model: 'gpt-4' });
    expect(deepseek.sent()).toEqual({ ...mathematician, model: 'deepseek-chat' });
  });
});

describe('seed 003, instance priority', () => {
  it('sends everything to the high priority while nothing is exhausted', async () => {
    const { url, deepseek } = await startPage('003-priority-rate-limiting');
    expect([await modelOf(url), await modelOf(url)]).toEqual(['gpt-4-0613', 'gpt-4-0613']);
    expect(deepseek.calls).toEqual([]);
  });

  it('leaves a 5xx of the high priority as it is: its strategy is about health and quotas', async () => {
    const { url, openai, deepseek } = await startPage('003-priority-rate-limiting');
    openai.fail(500);
    expect((await post(url, mathematician)).status).toBe(500);
    expect(deepseek.calls).toEqual([]);
  });

  it('falls back to the low priority where the strategy says so', async () => {
    setKeys();
    const openai = await startLlm('gpt-4-0613');
    const deepseek = await startLlm('deepseek-chat');
    const plugin = {
      ...readPlugin('003-priority-rate-limiting'),
      fallback_strategy: ['rate_limiting', 'http_5xx'],
    };
    const app = await startApp(
      pointToLoopback(plugin, { 'openai-instance': openai.url, 'deepseek-instance': deepseek.url }),
    );
    openai.fail(500);
    expect(await modelOf(app.url)).toBe('deepseek-chat');
  });
});

describe('seed 003, consumers', () => {
  it("shares the route's requests equally before anybody has a quota", async () => {
    const { url } = await startPage('003-consumers-route');
    const models = [await modelOf(url), await modelOf(url)].sort();
    expect(models).toEqual(['deepseek-chat', 'gpt-4-0613']);
  });
});

describe('seed 003, maximum number of completion tokens', () => {
  it('sends max_tokens 50 to OpenAI and 100 to DeepSeek', async () => {
    const { url, openai, deepseek } = await startPage('003-max-tokens');
    await modelOf(url);
    await modelOf(url);
    expect(openai.sent()).toEqual({ ...mathematician, model: 'gpt-4', max_tokens: 50 });
    expect(deepseek.sent()).toEqual({ ...mathematician, model: 'deepseek-chat', max_tokens: 100 });
  });

  it('wins over what the client asks for', async () => {
    const { url, openai } = await startPage('003-max-tokens');
    await post(url, { ...mathematician, max_tokens: 4000 });
    expect(openai.sent()).toMatchObject({ max_tokens: 50 });
  });
});

describe('seed 003, embedding models', () => {
  const answer = {
    object: 'list',
    data: [{ object: 'embedding', index: 0, embedding: [-0.0067144386, -0.039197803, 0.034177095] }],
    model: 'text-embedding-3-small',
    usage: { prompt_tokens: 2, total_tokens: 2 },
  };

  /** The page configures /anything and then asks /embeddings: both work. */
  async function startEmbeddings() {
    const upstream = await startUpstream((_call, res) => answerJson(res, 200, answer));
    const origins = { 'openai-instance': upstream.url, 'az-openai-instance': upstream.url };
    return { upstream, app: await startSeed('003-embeddings', origins) };
  }

  it.each(['/embeddings', '/anything'])('answers an input at %s', async (path) => {
    const { app } = await startEmbeddings();
    const response = await post(`${app.url}${path}`, { input: 'hello world' });
    expect(await response.json()).toEqual(answer);
    expect(app.finished[0]).toMatchObject({
      request_type: 'ai_chat',
      llm_model: 'text-embedding-3-small',
      llm_prompt_tokens: 2,
      llm_completion_tokens: 0,
      llm_total_tokens: 2,
    });
  });

  it("uses both endpoints as they stand, Azure's deployment path and api-version included", async () => {
    const { app, upstream } = await startEmbeddings();
    for (let i = 0; i < 2; i++) await post(`${app.url}/embeddings`, { input: 'hello world' });
    expect(upstream.calls.map(({ url, headers }) => [url, headers.authorization])).toEqual([
      ['/v1/embeddings', 'Bearer openai-key'],
      ['/openai/deployments/text-embedding-3-small/embeddings?api-version=2023-05-15', 'Bearer azure-key'],
    ]);
    for (const { body } of upstream.calls) {
      expect(JSON.parse(body)).toEqual({ input: 'hello world', model: 'text-embedding-3-small' });
    }
  });
});

describe('seed 003, active health checks', () => {
  it('loads, and shares the requests between both instances', async () => {
    const first = await startLlm('one');
    const second = await startLlm('two');
    const app = await startSeed('003-checks', { 'llm-instance-1': first.url, 'llm-instance-2': second.url });
    expect([await modelOf(app.url), await modelOf(app.url)].sort()).toEqual(['one', 'two']);
    expect(first.calls[0]?.headers.authorization).toBe('Bearer own-key');
    expect(app.logs.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('loads as printed, without an endpoint, and says that nobody can be asked', async () => {
    setKeys();
    const app = await startApp(asConfig(readPlugin('003-checks')));
    expect(app.logs.filter(({ level }) => level === 'warn')).toHaveLength(2);
    const response = await post(app.url, mathematician);
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ error: { code: 'no_instance_available' } });
  });
});
