import { describe, expect, it } from 'vitest';
import { isObject } from '../../lib/protocols/json.ts';
import { modelIn } from '../balancer/ask.ts';
import { post, startApp } from '../support/app.ts';
import { type Llm, startLlm } from './llm.ts';
import { readSeed } from './seed.ts';

/** The request of the page's last curl. */
const question = {
  model: 'gpt-3.5-turbo',
  messages: [{ role: 'user', content: 'Hello, how are you?' }],
};
const credentials = { Authorization: 'Bearer YOUR_OPENAI_API_KEY' };

/** What the page's route and upstreams mean, as two instances. As it is printed, `apisixRouter` takes it. */
function configOf(openai: Llm, nemoclaw: Llm): Parameters<typeof startApp>[0] {
  return {
    timeout: 60000,
    max_retries: 1,
    fallback_strategy: ['http_429', 'http_5xx'],
    instances: [
      {
        name: 'openai',
        provider: 'openai',
        weight: 1,
        priority: 1,
        auth: {},
        override: { endpoint: openai.url },
      },
      {
        name: 'nemoclaw',
        provider: 'openai-compatible',
        weight: 1,
        auth: {},
        override: { endpoint: nemoclaw.url },
      },
    ],
  };
}

async function startPage(host = { forwardHeaders: ['authorization'] }) {
  const openai = await startLlm('gpt-3.5-turbo-0125');
  const nemoclaw = await startLlm('nemoclaw');
  const app = await startApp(configOf(openai, nemoclaw), { host, mount: '/llm' });
  return { app, url: `${app.url}/llm/chat/completions`, openai, nemoclaw };
}

async function ask(url: string): Promise<string> {
  return modelIn(await (await post(url, question, { headers: credentials })).text());
}

describe('seed 004', () => {
  it('is what these tests configure', () => {
    const { plugins, uri } = readSeed('004-route');
    expect(uri).toBe('/llm/*');
    expect(isObject(plugins) && plugins['ai-proxy']).toMatchObject({ timeout: 60000, retry: 1 });
  });

  it("asks OpenAI first, with the caller's own Authorization and body", async () => {
    const { url, openai, nemoclaw } = await startPage();
    expect(await ask(url)).toBe('gpt-3.5-turbo-0125');
    expect(openai.calls[0]).toMatchObject({
      url: '/v1/chat/completions',
      headers: { authorization: 'Bearer YOUR_OPENAI_API_KEY' },
      body: JSON.stringify(question),
    });
    expect(nemoclaw.calls).toEqual([]);
  });

  it.each([500, 503, 429])('falls back to the local model when OpenAI answers %i', async (status) => {
    const { app, url, openai, nemoclaw } = await startPage();
    openai.fail(status);
    expect(await ask(url)).toBe('nemoclaw');
    expect(nemoclaw.calls[0]?.body).toBe(JSON.stringify(question));
    expect(app.finished[0]).toMatchObject({ llm_instance: 'nemoclaw', llm_model: 'gpt-3.5-turbo' });
  });

  it('falls back to the local model when OpenAI is blocked', async () => {
    const { url, openai } = await startPage();
    await openai.close();
    expect(await ask(url)).toBe('nemoclaw');
  });

  it("keeps the caller's Authorization to itself unless forwardHeaders asks for it", async () => {
    const { url, openai } = await startPage({ forwardHeaders: [] });
    await ask(url);
    expect(openai.calls[0]?.headers).not.toHaveProperty('authorization');
  });
});
