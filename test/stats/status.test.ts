import { aiRateLimiting } from 'ai-proxy-multi';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { InstanceStats } from '../../lib/stats/instance-stats.ts';
import { instance, post, startApp } from '../support/app.ts';
import { ownPort } from '../support/own-port.ts';
import { answerJson, chatAnswer, startUpstream } from '../support/upstream.ts';

const usage = { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 };

async function startLlm(status = 200) {
  return startUpstream((_call, res) => answerJson(res, status, { ...chatAnswer('Hi'), usage }));
}

async function ask(url: string, times = 1): Promise<void> {
  for (let count = 0; count < times; count++) await (await post(url)).text();
}

describe('status() tells', () => {
  it('the tiers in the order in which they are tried, and the shares by weight and in fact', async () => {
    const llm = await startLlm();
    const app = await startApp({
      instances: [
        instance('spare', llm.url),
        instance('much', llm.url, { priority: 5, weight: 3 }),
        instance('little', llm.url, { priority: 5, weight: 1 }),
      ],
    });
    await ask(app.url, 8);
    const [spare, much, little] = app.middleware.status().instances;
    expect(spare).toMatchObject({ tier: 1, share: { configured: 1 } });
    expect(spare?.share.actual).toBeUndefined();
    expect(much).toMatchObject({ tier: 0, share: { configured: 0.75, actual: 0.75 } });
    expect(little).toMatchObject({ tier: 0, share: { configured: 0.25, actual: 0.25 } });
  });

  it('equal shares where all weights are 0', async () => {
    const llm = await startLlm();
    const app = await startApp({
      instances: [instance('a', llm.url, { weight: 0 }), instance('b', llm.url, { weight: 0 })],
    });
    expect(app.middleware.status().instances.map(({ share }) => share.configured)).toEqual([0.5, 0.5]);
  });

  it('the tokens of each instance, in all and by the minute', async () => {
    const llm = await startLlm();
    const app = await startApp({ instances: [instance('a', llm.url)] });
    await ask(app.url, 3);
    await app.ended(3);
    const [a] = app.middleware.status().instances;
    expect(a?.tokens).toEqual({ prompt: 15, completion: 21, total: 36 });
    expect(a?.minutes.reduce((sum, { tokens }) => sum + tokens, 0)).toBe(36);
    expect(a?.minutes.reduce((sum, { attempts }) => sum + attempts, 0)).toBe(3);
  });

  it('latency and time to first token in whole milliseconds', async () => {
    const llm = await startLlm();
    const app = await startApp({ instances: [instance('a', llm.url)] });
    await ask(app.url);
    const [a] = app.middleware.status().instances;
    for (const percentiles of [a?.latency_ms, a?.time_to_first_token_ms]) {
      expect(percentiles).toEqual({
        p50: expect.any(Number),
        p95: expect.any(Number),
        p99: expect.any(Number),
      });
      expect(Object.values(percentiles ?? {}).every(Number.isInteger)).toBe(true);
    }
  });

  it('how requests ended', async () => {
    const llm = await startLlm();
    const app = await startApp({ instances: [instance('a', llm.url)] });
    await ask(app.url, 2);
    await (await post(app.url, 'no JSON')).text();
    await app.ended(3);
    expect(app.middleware.status().requests).toEqual({
      complete: 2,
      cut: 0,
      client_gone: 0,
      timeout: 0,
      rejected: 1,
    });
  });

  it('the last error of an instance, by its status', async () => {
    const llm = await startLlm(429);
    const app = await startApp({ instances: [instance('a', llm.url)] });
    await ask(app.url);
    const [a] = app.middleware.status().instances;
    expect(a?.last_error).toEqual({ at: expect.any(String), status: 429 });
    expect(Date.parse(a?.last_error?.at ?? '')).not.toBeNaN();
    expect(a?.minutes.at(-1)?.errors).toBe(1);
  });

  it('the last error of an instance that cannot be reached, by its code', async () => {
    const app = await startApp({ instances: [instance('a', `http://127.0.0.1:${await ownPort()}`)] });
    await ask(app.url);
    expect(app.middleware.status().instances[0]?.last_error).toMatchObject({ error: 'upstream_unreachable' });
  });

  it('the last requests that moved on, newest first, twenty at most', async () => {
    const limited = await startLlm(429);
    const well = await startLlm();
    const app = await startApp({
      fallback_strategy: 'http_429',
      instances: [instance('limited', limited.url, { priority: 1 }), instance('well', well.url)],
    });
    await ask(app.url, 22);
    await app.ended(22);
    const { recent_fallbacks } = app.middleware.status();
    expect(recent_fallbacks).toHaveLength(20);
    expect(recent_fallbacks[0]).toEqual({
      at: expect.any(String),
      attempts: [
        { instance: 'limited', status: 429 },
        { instance: 'well', status: 200 },
      ],
      duration_ms: expect.any(Number),
    });
    const times = recent_fallbacks.map(({ at }) => at);
    expect(times).toEqual([...times].sort().reverse());
  });

  it('no more of a quota than is left, in whatever order requests end', () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 0 });
    onTestFinished(() => void vi.useRealTimers());
    const stats = new InstanceStats();
    stats.noteQuota({ limit: 100, remaining: 20, resetsAtMs: 60_000 });
    stats.noteQuota({ limit: 100, remaining: 98, resetsAtMs: 60_010 });
    expect(stats.quota?.remaining).toBe(20);
    vi.setSystemTime(60_000);
    expect(stats.quota).toEqual({ limit: 100, remaining: 100, resetsAtMs: undefined });
    stats.noteQuota({ limit: 100, remaining: 90, resetsAtMs: 120_000 });
    expect(stats.quota?.remaining).toBe(90);
  });

  it("what is left of an instance's quota", async () => {
    const llm = await startLlm();
    const app = await startApp(
      { instances: [instance('a', llm.url), instance('free', llm.url)] },
      {
        before: (express) => {
          express.use(aiRateLimiting({ instances: [{ name: 'a', limit: 100, time_window: 60 }] }));
        },
      },
    );
    await ask(app.url, 4);
    await app.ended(4);
    const [a, free] = app.middleware.status().instances;
    expect(a?.quota).toEqual({ limit: 100, remaining: 76, resets_at: expect.any(String) });
    expect(free?.quota).toBeUndefined();
  });
});
