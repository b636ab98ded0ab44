import { describe, expect, it } from 'vitest';
import { isObject } from '../../lib/protocols/json.ts';
import { post } from '../support/app.ts';
import { type Llm, startLlm } from './llm.ts';
import { servePage, whoAnswers } from './router-page.ts';
import { readSeed } from './seed.ts';

/** The request of the page's last curl. */
const question = {
  model: 'gpt-3.5-turbo',
  messages: [{ role: 'user', content: 'Hello, how are you?' }],
};
const credentials = { Authorization: 'Bearer YOUR_OPENAI_API_KEY' };

/** A page's upstream, changed in nothing but where its node is. */
function readUpstream(name: string, llm: Llm) {
  return { ...readSeed(name), scheme: 'http', nodes: { [new URL(llm.url).host]: 1 } };
}

async function startPage(routeFields: object = {}) {
  const openai = await startLlm('gpt-3.5-turbo-0125');
  const nemoclaw = await startLlm('nemoclaw');
  const page = await servePage({
    routes: [{ ...readSeed('004-route'), ...routeFields }],
    upstreams: [readUpstream('004-openai-upstream', openai), readUpstream('004-nemoclaw-upstream', nemoclaw)],
  });
  const url = `${page.url}/llm/chat/completions`;
  return { ...page, url, openai, nemoclaw, who: () => whoAnswers(url, question, credentials) };
}

describe('seed 004, as it is sent to the Admin API', () => {
  it('is what these tests configure', () => {
    expect(readSeed('004-route')).toEqual({
      id: 'llm_route',
      uri: '/llm/*',
      plugins: {
        'ai-proxy': {
          upstream_id: 'openai_upstream',
          upstream_fallback_id: 'nemoclaw_upstream',
          timeout: 60000,
          retry: 1,
          enable_upstream_host: true,
        },
      },
    });
  });

  it('loads as it is printed, without a warning', async () => {
    const { logs, router } = await servePage({
      routes: [readSeed('004-route')],
      upstreams: [readSeed('004-openai-upstream'), readSeed('004-nemoclaw-upstream')],
    });
    expect(logs).toEqual([]);
    expect(router.status().llm_route?.instances.map(({ name, priority }) => [name, priority])).toEqual([
      ['openai_upstream', 1],
      ['nemoclaw_upstream', 0],
    ]);
  });

  it("loads as the page's curls send it, the ids in their addresses", async () => {
    const { id: _1, ...route } = readSeed('004-route');
    const { id: _2, ...openai } = readSeed('004-openai-upstream');
    const { id: _3, ...nemoclaw } = readSeed('004-nemoclaw-upstream');
    const { router } = await servePage({
      routes: { llm_route: route },
      upstreams: { openai_upstream: openai, nemoclaw_upstream: nemoclaw },
    });
    expect(router.status().llm_route?.instances.map(({ name }) => name)).toEqual([
      'openai_upstream',
      'nemoclaw_upstream',
    ]);
  });

  it("asks OpenAI first, by its own path, with the caller's own Authorization and body", async () => {
    const { who, openai, nemoclaw } = await startPage();
    expect(await who()).toBe('gpt-3.5-turbo-0125');
    expect(openai.calls[0]).toMatchObject({
      method: 'POST',
      url: '/v1/chat/completions',
      headers: {
        authorization: 'Bearer YOUR_OPENAI_API_KEY',
        'content-type': 'application/json',
        host: new URL(openai.url).host,
      },
      body: JSON.stringify(question),
    });
    expect(nemoclaw.calls).toEqual([]);
  });

  it.each([500, 503, 429])('asks the local model when OpenAI answers %i', async (status) => {
    const { who, openai, nemoclaw } = await startPage();
    openai.fail(status);
    expect(await who()).toBe('nemoclaw');
    expect(nemoclaw.calls[0]).toMatchObject({
      url: '/v1/chat/completions',
      headers: { authorization: 'Bearer YOUR_OPENAI_API_KEY', host: new URL(nemoclaw.url).host },
      body: JSON.stringify(question),
    });
  });

  it('asks the local model when OpenAI is blocked, and OpenAI again when it is back', async () => {
    const { who, openai, finished } = await startPage();
    openai.fail(500);
    await who();
    openai.recover();
    expect(await who()).toBe('gpt-3.5-turbo-0125');
    await openai.close();
    expect(await who()).toBe('nemoclaw');
    expect(finished[2]?.llm_attempts).toMatchObject([
      { instance: 'openai_upstream', error: expect.any(String) },
      { instance: 'nemoclaw_upstream', status: 200 },
    ]);
  });

  it.each([401, 404])('passes on a %i of OpenAI: the caller has to do something about it', async (status) => {
    const { who, openai, nemoclaw } = await startPage();
    openai.fail(status);
    expect(await who()).toBe(String(status));
    expect(nemoclaw.calls).toEqual([]);
  });

  it('passes on what the local model says when both fail', async () => {
    const { url, openai, nemoclaw } = await startPage();
    openai.fail(500);
    nemoclaw.fail(503);
    const answer = await post(url, question, { headers: credentials });
    expect([answer.status, await answer.json()]).toEqual([503, { error: { message: 'nemoclaw fails' } }]);
    expect([openai.calls.length, nemoclaw.calls.length]).toEqual([1, 1]);
  });

  it('streams as well', async () => {
    const { url, openai, nemoclaw } = await startPage();
    openai.fail(500);
    const answer = await post(url, { ...question, stream: true }, { headers: credentials });
    expect(answer.headers.get('content-type')).toContain('text/event-stream');
    expect(await answer.text()).toContain('"model":"nemoclaw"');
    expect(nemoclaw.calls).toHaveLength(1);
  });

  it.each([
    ['/llm/embeddings', { input: 'hello' }, '/v1/embeddings'],
    ['/llm/v1/responses', { input: 'hello' }, '/v1/responses'],
    ['/llm/anything', question, '/v1/chat/completions'],
  ])('asks for what %s stands for', async (path, body, asked) => {
    const { url, openai } = await startPage();
    await (await post(new URL(path, url).href, body, { headers: credentials })).text();
    expect(openai.calls[0]?.url).toBe(asked);
  });

  it('is not there beside its path', async () => {
    const { url } = await startPage();
    for (const path of ['/', '/llm', '/v1/chat/completions']) {
      expect((await post(new URL(path, url).href, question)).status).toBe(404);
    }
  });

  it('takes limits, as any route does', async () => {
    const limits = { instances: [{ name: 'openai_upstream', limit: 10, time_window: 60 }] };
    const { plugins } = readSeed('004-route');
    const { who } = await startPage({
      plugins: { ...(isObject(plugins) ? plugins : {}), 'ai-rate-limiting': limits },
    });
    expect([await who(), await who()]).toEqual(['gpt-3.5-turbo-0125', 'nemoclaw']);
  });
});
