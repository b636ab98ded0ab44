import { aiProxyMulti, aiRateLimiting } from 'ai-proxy-multi';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ConsumerConfig } from '../../lib/config/generated/consumer.ts';
import type { Handler } from '../frameworks/frameworks.ts';
import { instance, post, serve } from '../support/app.ts';
import { echoModel, startUpstream } from '../support/upstream.ts';
import { makeGate, stacks } from './gate.ts';

const quiet = { debug() {}, info() {}, warn() {}, error() {} };

/** 31 tokens, as the LLM of the tests counts each answer, are more than that. */
const tenTokens = { limit: 10, time_window: 60, rejected_code: 429 };

const limited = (username: string, key: string): ConsumerConfig => ({
  username,
  plugins: { 'key-auth': { key }, 'ai-rate-limiting': tenTokens },
});
const unlimited = (username: string, key: string): ConsumerConfig => ({
  username,
  plugins: { 'key-auth': { key } },
});

/** An application with these middlewares in front of a gateway to one LLM. */
async function startApp(front: readonly Handler[], stack = stacks[0]) {
  const llm = await startUpstream(echoModel());
  const gateway = aiProxyMulti({ instances: [instance('llm', llm.url)] }, { logger: quiet });
  onTestFinished(() => gateway.close());
  if (stack === undefined) throw new Error('there is no such stack');
  const { url } = await serve(stack.listenerOf([...front, gateway]));
  return { url, llm };
}

function limit(config: Parameters<typeof aiRateLimiting>[0]) {
  const limiter = aiRateLimiting(config, { logger: quiet });
  onTestFinished(() => limiter.close());
  return limiter;
}

async function statusOf(url: string, headers: Record<string, string> = {}): Promise<number> {
  const answer = await post(url, undefined, { headers });
  await answer.text();
  return answer.status;
}

describe.each(stacks)("a caller's key in $name", (stack) => {
  it('never reaches the LLM, under whatever name it comes', async () => {
    const { middleware } = makeGate({ header: 'X-Team-Key', query: 'team' });
    const { url, llm } = await startApp([middleware], stack);
    const headers = { 'x-team-key': 'jane-key', 'x-harmless': 'yes' };
    const answer = await fetch(`${url}/v1/models?limit=3&team=jane-key&%74eam=x`, { headers });
    expect(answer.status).toBe(200);
    expect(await statusOf(`${url}/v1/chat/completions?team=john-key`)).toBe(200);
    expect(llm.calls).toMatchObject([
      { url: '/v1/models?limit=3', headers: { 'x-harmless': 'yes' } },
      { url: '/v1/chat/completions' },
    ]);
    expect(JSON.stringify(llm.calls.map(({ rawHeaders }) => rawHeaders))).not.toMatch(/team|jane|john/i);
  });

  it('is not asked for by the LLM of a request that is turned away', async () => {
    const { middleware } = makeGate();
    const { url, llm } = await startApp([middleware], stack);
    expect(await statusOf(url, { apikey: 'wrong' })).toBe(401);
    expect(llm.calls).toEqual([]);
  });
});

describe("a consumer's own limits", () => {
  it('count that consumer alone', async () => {
    const { middleware } = makeGate(
      {},
      { consumers: [limited('a', 'key-a'), limited('b', 'key-b'), unlimited('c', 'key-c')] },
    );
    const { url } = await startApp([middleware]);
    const statuses: number[] = [];
    for (const apikey of ['key-a', 'key-a', 'key-b', 'key-b', 'key-c', 'key-c']) {
      statuses.push(await statusOf(url, { apikey }));
    }
    expect(statuses).toEqual([200, 429, 200, 429, 200, 200]);
  });

  it('are the same for all keys of a consumer', async () => {
    const credentials = [{ plugins: { 'key-auth': { key: 'second' } } }];
    const { middleware } = makeGate({}, { consumers: [{ ...limited('a', 'first'), credentials }] });
    const { url } = await startApp([middleware]);
    expect([await statusOf(url, { apikey: 'first' }), await statusOf(url, { apikey: 'second' })]).toEqual([
      200, 429,
    ]);
  });

  it('replace those of the route, which go on for who has none', async () => {
    const generous = { limit: 1000, time_window: 60 };
    const a: ConsumerConfig = {
      username: 'a',
      plugins: { 'key-auth': { key: 'key-a' }, 'ai-rate-limiting': generous },
    };
    const { middleware } = makeGate({}, { consumers: [a, unlimited('c', 'key-c')] });
    const { url } = await startApp([middleware, limit(tenTokens)]);
    const statuses: number[] = [];
    for (const apikey of ['key-c', 'key-c', 'key-a', 'key-a']) statuses.push(await statusOf(url, { apikey }));
    expect(statuses).toEqual([200, 429, 200, 200]);
  });

  it('hold for the anonymous consumer, too', async () => {
    const { middleware } = makeGate(
      { anonymous_consumer: 'guest' },
      { consumers: [limited('guest', 'guest-key')] },
    );
    const { url } = await startApp([middleware]);
    expect([await statusOf(url), await statusOf(url, { apikey: 'wrong' })]).toEqual([200, 429]);
  });

  it('end where another key-auth further on finds somebody else', async () => {
    const first = makeGate({ header: 'x-first' }, { consumers: [limited('a', 'key-a')] });
    const second = makeGate({ header: 'x-second' }, { consumers: [unlimited('c', 'key-c')] });
    const { url } = await startApp([first.middleware, second.middleware]);
    const headers = { 'x-first': 'key-a', 'x-second': 'key-c' };
    expect([await statusOf(url, headers), await statusOf(url, headers)]).toEqual([200, 200]);
  });
});
