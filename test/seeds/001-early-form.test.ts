import express, { type Express } from 'express';
import { describe, expect, it } from 'vitest';
import { modelIn } from '../balancer/ask.ts';
import { type AppOptions, post, startApp } from '../support/app.ts';
import { mathematician, startLlm } from './llm.ts';
import { pointToLoopback, readPlugin, setKeys, startSeed } from './seed.ts';

/** A page's gateway under /anything, with its first provider and DeepSeek behind it. */
async function startPage(name: string, first: string, model: string, options: AppOptions = {}) {
  const primary = await startLlm(model);
  const deepseek = await startLlm('deepseek-chat');
  const origins = { [first]: primary.url, deepseek: deepseek.url };
  const app = await startSeed(name, origins, { mount: '/anything', ...options });
  return { app, url: `${app.url}/anything`, primary, deepseek };
}

async function modelOf(url: string): Promise<string> {
  return modelIn(await (await post(url, mathematician)).text());
}

describe.each(['001-balanced', '001-priority'])('seed %s', (name) => {
  it('asks OpenAI, of the larger priority, with the options merged in', async () => {
    const { url, primary, deepseek } = await startPage(name, 'openai', 'gpt-4');
    expect([await modelOf(url), await modelOf(url)]).toEqual(['gpt-4', 'gpt-4']);
    expect(primary.sent()).toEqual({ ...mathematician, max_tokens: 512, temperature: 1, model: 'gpt-4' });
    expect(primary.calls[0]).toMatchObject({
      url: '/v1/chat/completions',
      headers: { authorization: 'Bearer openai-key' },
    });
    expect(deepseek.calls).toEqual([]);
  });

  it.each([429, 500, 502, 503])('retries on DeepSeek when OpenAI answers %i', async (status) => {
    const { app, url, primary, deepseek } = await startPage(name, 'openai', 'gpt-4');
    primary.fail(status);
    expect(await modelOf(url)).toBe('deepseek-chat');
    expect(deepseek.sent()).toEqual({
      ...mathematician,
      max_tokens: 512,
      temperature: 1,
      model: 'deepseek-chat',
    });
    expect(deepseek.calls[0]).toMatchObject({
      url: '/chat/completions',
      headers: { authorization: 'Bearer deepseek-key' },
    });
    expect(app.finished[0]?.llm_attempts).toMatchObject([
      { instance: 'openai', status },
      { instance: 'deepseek', status: 200 },
    ]);
  });

  it('retries on DeepSeek when OpenAI is unavailable', async () => {
    const { url, primary } = await startPage(name, 'openai', 'gpt-4');
    await primary.close();
    expect(await modelOf(url)).toBe('deepseek-chat');
  });

  it('answers with the last error when DeepSeek fails as well', async () => {
    const { url, primary, deepseek } = await startPage(name, 'openai', 'gpt-4');
    primary.fail(503);
    deepseek.fail(429);
    const response = await post(url, mathematician);
    expect([response.status, await response.json()]).toEqual([
      429,
      { error: { message: 'deepseek-chat fails' } },
    ]);
  });
});

describe('seed 001-compatible', () => {
  it('uses the endpoint of the openai-compatible provider as it stands, path and all', async () => {
    const { url, primary } = await startPage('001-compatible', 'openai-compatible', 'qwen-plus');
    expect(await modelOf(url)).toBe('qwen-plus');
    expect(primary.calls[0]).toMatchObject({
      method: 'POST',
      url: '/compatible-mode/v1/chat/completions',
      headers: { authorization: 'Bearer openai-key' },
    });
    expect(primary.sent()).toEqual({ ...mathematician, model: 'qwen-plus' });
  });

  it('retries on DeepSeek', async () => {
    const { url, primary } = await startPage('001-compatible', 'openai-compatible', 'qwen-plus');
    primary.fail(500);
    expect(await modelOf(url)).toBe('deepseek-chat');
  });

  it('answers the client itself, as passthrough: false says, and leaves the next middleware alone', async () => {
    let reached = false;
    const { url } = await startPage('001-compatible', 'openai-compatible', 'qwen-plus', {
      after(app) {
        app.use((_req, _res, next) => {
          reached = true;
          next();
        });
      },
    });
    expect(await modelOf(url)).toBe('qwen-plus');
    expect(reached).toBe(false);
  });
});

describe('the early form', () => {
  const echoBody = (app: Express): void => {
    app.use(express.json(), (req, res) => {
      res.json({ seen: req.body });
    });
  };

  it("hands the LLM's JSON to the next middleware with passthrough: true", async () => {
    setKeys();
    const llm = await startLlm('gpt-4');
    const config = pointToLoopback(
      { ...readPlugin('001-balanced'), passthrough: true },
      { openai: llm.url, deepseek: llm.url },
    );
    const app = await startApp(config, { after: echoBody });
    const response = await post(app.url, mathematician);
    expect(await response.json()).toMatchObject({ seen: { model: 'gpt-4', usage: { total_tokens: 31 } } });
    expect(app.finished[0]).toMatchObject({
      llm_outcome: 'complete',
      llm_model: 'gpt-4',
      llm_total_tokens: 31,
    });
  });

  it('shares equally between providers of one priority, however often a provider occurs', async () => {
    setKeys();
    const auth = { header: { Authorization: 'Bearer $env://OPENAI_API_KEY' } };
    const [mini, large] = await Promise.all(['gpt-4o-mini', 'gpt-4o'].map(startLlm));
    const app = await startApp({
      providers: [
        { name: 'openai', model: 'gpt-4o-mini', auth, override: { endpoint: mini?.url ?? '' } },
        { name: 'openai', model: 'gpt-4o', auth, override: { endpoint: large?.url ?? '' } },
      ],
    });
    const models = [await modelOf(app.url), await modelOf(app.url), await modelOf(app.url)];
    expect(models).toEqual(['gpt-4o-mini', 'gpt-4o', 'gpt-4o-mini']);
    expect(app.finished.map(({ llm_instance }) => llm_instance)).toEqual(['openai', 'openai-2', 'openai']);
  });
});
