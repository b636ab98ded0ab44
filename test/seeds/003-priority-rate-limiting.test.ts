import { describe, expect, it, vi } from 'vitest';
import { post } from '../support/app.ts';
import { mathematician, onePlusOne, startLlm } from './llm.ts';
import { readRoute, servePage, whoAnswers } from './router-page.ts';
import { readSeed } from './seed.ts';

/** The page's second question. */
const newton = {
  messages: [
    { role: 'system', content: 'You are a mathematician' },
    { role: 'user', content: 'Explain Newton law' },
  ],
};

async function startPage() {
  const openai = await startLlm('gpt-4-0613');
  const deepseek = await startLlm('deepseek-chat');
  const origins = { 'openai-instance': openai.url, 'deepseek-instance': deepseek.url };
  const page = await servePage({ routes: [readRoute('003-priority-rate-limiting', origins)] });
  return { ...page, url: `${page.url}/anything`, origin: page.url, openai, deepseek };
}

describe('seed 003, instance priority and rate limiting', () => {
  it('is what these tests configure', () => {
    expect(readSeed('003-priority-rate-limiting')).toMatchObject({
      id: 'ai-proxy-multi-route',
      uri: '/anything',
      methods: ['POST'],
      plugins: {
        'ai-proxy-multi': { fallback_strategy: 'instance_health_and_rate_limiting' },
        'ai-rate-limiting': {
          instances: [{ name: 'openai-instance', limit: 10, time_window: 60 }],
          limit_strategy: 'total_tokens',
        },
      },
    });
  });

  it('loads without a warning', async () => {
    const { logs } = await startPage();
    expect(logs).toEqual([]);
  });

  it("is answered by gpt-4 first, with the page's answer", async () => {
    const { url, openai, deepseek } = await startPage();
    const answer = await post(url, mathematician);
    expect([answer.status, await answer.json()]).toEqual([200, onePlusOne]);
    expect(openai.calls[0]).toMatchObject({
      url: '/v1/chat/completions',
      headers: { authorization: 'Bearer openai-key' },
    });
    expect(openai.sent()).toEqual({ ...mathematician, model: 'gpt-4' });
    expect(deepseek.calls).toEqual([]);
  });

  it('is answered by deepseek-chat within the window, since 31 tokens are more than 10', async () => {
    const { url, openai, deepseek } = await startPage();
    expect(await whoAnswers(url, mathematician)).toBe('gpt-4-0613');
    expect(await whoAnswers(url, newton)).toBe('deepseek-chat');
    expect(await whoAnswers(url, newton)).toBe('deepseek-chat');
    expect(openai.calls).toHaveLength(1);
    expect(deepseek.sent()).toEqual({ ...newton, model: 'deepseek-chat' });
    expect(deepseek.calls[0]?.headers.authorization).toBe('Bearer deepseek-key');
  });

  it('is answered by gpt-4 again when the window is over', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      const { url } = await startPage();
      const answers = [await whoAnswers(url, mathematician), await whoAnswers(url, newton)];
      vi.setSystemTime(Date.now() + 60_001);
      answers.push(await whoAnswers(url, mathematician));
      expect(answers).toEqual(['gpt-4-0613', 'deepseek-chat', 'gpt-4-0613']);
    } finally {
      vi.useRealTimers();
    }
  });

  it('is answered by streams as by whole answers', async () => {
    const { url, finished } = await startPage();
    for (let index = 0; index < 2; index++)
      await (await post(url, { ...mathematician, stream: true })).text();
    expect(finished.map(({ llm_instance }) => llm_instance)).toEqual([
      'openai-instance',
      'deepseek-instance',
    ]);
  });

  it('tells the quota of the instance that has one, and why it was passed over', async () => {
    const { url, finished } = await startPage();
    const first = await post(url, mathematician);
    const second = await post(url, newton);
    await Promise.all([first.text(), second.text()]);
    expect(first.headers.get('x-ai-ratelimit-limit-openai-instance')).toBe('10');
    expect(first.headers.get('x-ai-ratelimit-remaining-openai-instance')).toBe('10');
    expect(second.headers.get('x-ai-ratelimit-remaining-openai-instance')).toBe('0');
    expect(second.headers.has('x-ai-ratelimit-limit-deepseek-instance')).toBe(false);
    expect(finished[1]?.llm_attempts).toMatchObject([
      { instance: 'openai-instance', skipped: 'rate_limited' },
      { instance: 'deepseek-instance', status: 200 },
    ]);
  });

  it('is not there for other methods and paths', async () => {
    const { origin, url } = await startPage();
    const answers = [await fetch(url), await post(`${origin}/anything/else`), await post(`${origin}/`)];
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404]);
    expect(await answers[0]?.json()).toEqual({ error_msg: '404 Route Not Found' });
  });

  it('has its state under its id', async () => {
    const { router, url } = await startPage();
    await whoAnswers(url, mathematician);
    expect(router.status()).toMatchObject({
      'ai-proxy-multi-route': {
        instances: [
          { name: 'openai-instance', priority: 1, attempts: 1 },
          { name: 'deepseek-instance', priority: 0, attempts: 0 },
        ],
      },
    });
  });
});
