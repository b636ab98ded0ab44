import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../lib/protocols/json.ts';
import { post } from '../support/app.ts';
import { mathematician, startLlm } from './llm.ts';
import { readConsumer, readRoute, servePage, whoAnswers } from './router-page.ts';
import { readSeed } from './seed.ts';

const OPENAI = 'gpt-4-0613';
const DEEPSEEK = 'deepseek-chat';

async function startPage(changeConsumer: (consumer: JsonObject) => JsonObject = (consumer) => consumer) {
  const openai = await startLlm(OPENAI);
  const deepseek = await startLlm(DEEPSEEK);
  const origins = { 'openai-instance': openai.url, 'deepseek-instance': deepseek.url };
  const page = await servePage({
    routes: [readRoute('003-consumers-route', origins)],
    consumers: ['johndoe', 'janedoe'].map((username) => changeConsumer(readConsumer(username))),
  });
  const url = `${page.url}/anything`;
  const askAs = (key: string) => () => whoAnswers(url, mathematician, { apikey: key });
  return { ...page, url, openai, deepseek, john: askAs('john-key'), jane: askAs('jane-key') };
}

/** Asks until this model has answered: which of two equal instances is first, chance decides. */
async function askUntil(model: string, ask: () => Promise<string>): Promise<void> {
  for (let tries = 0; tries < 2; tries++) if ((await ask()) === model) return;
  throw new Error(`${model} has not had its turn among two requests`);
}

async function times(count: number, ask: () => Promise<string>): Promise<readonly string[]> {
  const answers: string[] = [];
  for (let index = 0; index < count; index++) answers.push(await ask());
  return answers;
}

describe('seed 003, load balance and rate limit by consumers', () => {
  it('is what these tests configure', () => {
    expect(readSeed('003-consumers-route')).toMatchObject({ uri: '/anything', plugins: { 'key-auth': {} } });
    expect(readConsumer('johndoe')).toMatchObject({
      username: 'johndoe',
      plugins: { 'ai-rate-limiting': { instances: [{ name: 'openai-instance', limit: 10 }] } },
      credentials: [{ id: 'cred-john-key-auth', plugins: { 'key-auth': { key: 'john-key' } } }],
    });
    expect(readConsumer('janedoe')).toMatchObject({
      username: 'janedoe',
      plugins: { 'ai-rate-limiting': { instances: [{ name: 'deepseek-instance', limit: 10 }] } },
      credentials: [{ id: 'cred-jane-key-auth', plugins: { 'key-auth': { key: 'jane-key' } } }],
    });
  });

  it('loads without a warning', async () => {
    const { logs } = await startPage();
    expect(logs).toEqual([]);
  });

  it('turns away who has no key', async () => {
    const { url, openai, deepseek } = await startPage();
    const answer = await post(url, mathematician);
    expect([answer.status, await answer.json()]).toEqual([401, { message: 'Missing API key in request' }]);
    expect([...openai.calls, ...deepseek.calls]).toEqual([]);
  });

  it("turns away who has a key that is nobody's", async () => {
    const { url } = await startPage();
    const answer = await post(url, mathematician, { headers: { apikey: 'mary-key' } });
    expect([answer.status, await answer.json()]).toEqual([401, { message: 'Invalid API key in request' }]);
  });

  it('lets johndoe have one answer of OpenAI, and sends what he asks then to DeepSeek', async () => {
    const { john, openai } = await startPage();
    await askUntil(OPENAI, john);
    expect(await times(3, john)).toEqual([DEEPSEEK, DEEPSEEK, DEEPSEEK]);
    expect(openai.calls).toHaveLength(1);
  });

  it('lets janedoe have one answer of DeepSeek, and sends what she asks then to OpenAI', async () => {
    const { jane, deepseek } = await startPage();
    await askUntil(DEEPSEEK, jane);
    expect(await times(3, jane)).toEqual([OPENAI, OPENAI, OPENAI]);
    expect(deepseek.calls).toHaveLength(1);
  });

  it('leaves janedoe what johndoe has used up, and the other way round', async () => {
    const { john, jane } = await startPage();
    await askUntil(OPENAI, john);
    await askUntil(DEEPSEEK, jane);
    expect(await times(2, jane)).toEqual([OPENAI, OPENAI]);
    expect(await times(2, john)).toEqual([DEEPSEEK, DEEPSEEK]);
    expect(await times(2, jane)).toEqual([OPENAI, OPENAI]);
  });

  it('tells each the own quota', async () => {
    const { url, john } = await startPage();
    await askUntil(OPENAI, john);
    const answer = await post(url, mathematician, { headers: { apikey: 'john-key' } });
    expect(answer.headers.get('x-ai-ratelimit-remaining-openai-instance')).toBe('0');
    expect(answer.headers.has('x-ai-ratelimit-limit-deepseek-instance')).toBe(false);
    await answer.text();
  });

  it('answers 429, as the consumers say, when no instance is left', async () => {
    const { url, john } = await startPage((consumer) => ({
      ...consumer,
      plugins: {
        'ai-rate-limiting': {
          instances: ['openai-instance', 'deepseek-instance'].map((name) => ({
            name,
            limit: 10,
            time_window: 60,
          })),
          rejected_code: 429,
          limit_strategy: 'total_tokens',
        },
      },
    }));
    expect((await times(2, john)).toSorted()).toEqual([DEEPSEEK, OPENAI]);
    const answer = await post(url, mathematician, { headers: { apikey: 'john-key' } });
    expect([answer.status, await answer.json()]).toMatchObject([429, { error: { code: 'quota_exceeded' } }]);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it("shows the LLMs nobody's key", async () => {
    const { url, openai, deepseek } = await startPage();
    await (await post(url, mathematician, { headers: { apikey: 'john-key' } })).text();
    await (await post(`${url}?apikey=jane-key`, mathematician)).text();
    const calls = [...openai.calls, ...deepseek.calls];
    expect(calls).toHaveLength(2);
    for (const { url: path, rawHeaders } of calls) {
      expect(`${path} ${rawHeaders.join(' ')}`).not.toMatch(/john|jane/);
    }
  });
});
