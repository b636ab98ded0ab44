import { type AiProxyConfig, aiProxy, ConfigError, type FinishRecord, type Host } from 'ai-proxy-multi';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { post, serve } from './support/app.ts';
import {
  answerJson,
  chatAnswer,
  chatEvent,
  doneEvent,
  echoModel,
  startUpstream,
} from './support/upstream.ts';

function config(endpoint: string, more: Partial<AiProxyConfig> = {}): AiProxyConfig {
  return {
    provider: 'deepseek',
    auth: { header: { Authorization: 'Bearer the-key' } },
    options: { model: 'deepseek-chat' },
    override: { endpoint },
    ...more,
  };
}

async function start(single: AiProxyConfig, host: Host = {}) {
  const finished: FinishRecord[] = [];
  const middleware = aiProxy(single, { onFinish: (finish) => finished.push(finish), ...host });
  onTestFinished(() => middleware.close());
  return { ...(await serve(middleware)), middleware, finished };
}

describe('aiProxy', () => {
  it('sends every request to its one provider, with its credentials and options', async () => {
    const llm = await startUpstream(echoModel());
    const { url } = await start(config(llm.url));
    expect(await (await post(url)).json()).toEqual(chatAnswer('deepseek-chat'));
    expect(llm.calls[0]).toMatchObject({
      url: '/chat/completions',
      headers: { authorization: 'Bearer the-key' },
    });
  });

  it('calls its instance ai-proxy-{provider}, in the log, in the status and in the header', async () => {
    const llm = await startUpstream(echoModel());
    const { url, middleware, finished } = await start(config(llm.url), { servedByHeader: 'x-served-by' });
    const answer = await post(url);
    await answer.text();
    expect(answer.headers.get('x-served-by')).toBe('ai-proxy-deepseek');
    expect(finished).toMatchObject([
      { llm_instance: 'ai-proxy-deepseek', llm_provider: 'deepseek', llm_total_tokens: 31 },
    ]);
    expect(middleware.status().instances).toMatchObject([{ name: 'ai-proxy-deepseek', attempts: 1 }]);
  });

  it('streams', async () => {
    const llm = await startUpstream((_call, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.end(chatEvent('Hi') + doneEvent);
    });
    const { url } = await start(config(llm.url));
    const answer = await post(url, { messages: [], stream: true });
    expect(await answer.text()).toBe(chatEvent('Hi') + doneEvent);
  });

  it.each([429, 500])('answers a %i as it is, since there is nobody to fall back to', async (status) => {
    const llm = await startUpstream((_call, res) => answerJson(res, status, { error: 'no' }));
    const { url } = await start(config(llm.url));
    const answer = await post(url);
    expect([answer.status, await answer.json()]).toEqual([status, { error: 'no' }]);
    expect(llm.calls).toHaveLength(1);
  });

  it('fills in references', async () => {
    vi.stubEnv('THE_KEY', 'from-the-environment');
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    const llm = await startUpstream(echoModel());
    const auth = { header: { Authorization: 'Bearer $env://THE_KEY', 'x-other': '$secret://other' } };
    const { url } = await start(config(llm.url, { auth }), { secret: (reference) => `of ${reference}` });
    await (await post(url)).text();
    expect(llm.calls[0]?.headers).toMatchObject({
      authorization: 'Bearer from-the-environment',
      'x-other': 'of $secret://other',
    });
  });

  it('takes another configuration while it runs', async () => {
    const [before, after] = [await startUpstream(echoModel()), await startUpstream(echoModel())];
    const { url, middleware } = await start(config(before.url));
    middleware.update(config(after.url, { provider: 'openai', options: { model: 'gpt-4o' } }));
    expect(await (await post(url)).json()).toMatchObject({ model: 'gpt-4o' });
    expect(middleware.status().instances).toMatchObject([{ name: 'ai-proxy-openai' }]);
    expect(before.calls).toEqual([]);
  });

  it.each<[string, object, string]>([
    ['without a provider', { auth: {} }, 'provider'],
    ['without auth', { provider: 'openai' }, 'auth'],
    ['with an unknown provider', { provider: 'opnai', auth: {} }, 'opnai'],
    ["with ai-proxy-multi's own form", { instances: [] }, 'provider'],
  ])('throws a ConfigError at once: %s', (_what, wrong, named) => {
    const make = (): unknown => Reflect.apply(aiProxy, undefined, [wrong]);
    expect(make).toThrow(ConfigError);
    expect(make).toThrow(named);
  });
});
