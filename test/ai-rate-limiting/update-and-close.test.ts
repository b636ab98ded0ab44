import { aiRateLimiting, ConfigError } from 'ai-proxy-multi';
import { describe, expect, it } from 'vitest';
import { post } from '../support/app.ts';
import { answerJson, chatAnswer, chatEvent, type Script } from '../support/upstream.ts';
import { ANSWER_TOKENS, chat, HOUR, startLimited, statusesOf, toldOf, usedOf } from './limited.ts';

const LIMITS = { limit: 1000, time_window: HOUR };

/** Answers when told to; says when it has been asked. */
function onDemand(): { script: Script; asked: Promise<void>; answer(): void } {
  let give = (): void => {};
  let arrived = (): void => {};
  const asked = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  return {
    script(_call, res) {
      give = () => answerJson(res, 200, chatAnswer('late'));
      arrived();
    },
    asked,
    answer: () => give(),
  };
}

describe('update', () => {
  it('has the next request limited by the new configuration', async () => {
    const { url, limiter } = await startLimited({ limit: 1, time_window: HOUR });
    expect(await statusesOf(url, 2)).toEqual([200, 503]);
    limiter.update({ limit: 2, time_window: 60, rejected_code: 429 });
    const answer = await chat(url);
    expect([answer.status, toldOf(answer, 'a')]).toEqual([200, { limit: 2, remaining: 2, reset: 60 }]);
    expect((await chat(url)).status).toBe(429);
  });

  it('can change what is limited: instances by rules', async () => {
    const { url, limiter } = await startLimited({ limit: 1, time_window: HOUR });
    await chat(url);
    limiter.update({ rules: [{ key: '$http_x_user', count: 1, time_window: HOUR }] });
    expect(await statusesOf(url, 2)).toEqual([200, 200]);
    expect(await statusesOf(url, 2, { 'x-user': 'jane' })).toEqual([200, 503]);
  });

  it('goes on counting under a configuration with the same limits', async () => {
    const { url, limiter } = await startLimited(LIMITS);
    await chat(url);
    limiter.update({ ...LIMITS, rejected_code: 429, rejected_msg: 'later' });
    expect(await usedOf(url)).toBe(ANSWER_TOKENS);
  });

  it('starts to count anew under other limits, and goes on when the old ones come back', async () => {
    const { url, limiter } = await startLimited(LIMITS);
    await chat(url);
    limiter.update({ ...LIMITS, limit: 2000 });
    expect(await usedOf(url)).toBe(0);
    limiter.update(LIMITS);
    expect(await usedOf(url)).toBe(ANSWER_TOKENS);
  });

  it('throws on an invalid configuration, and changes nothing', async () => {
    const { url, limiter } = await startLimited(LIMITS);
    await chat(url);
    expect(() => limiter.update({ limit: 0, time_window: HOUR })).toThrow(ConfigError);
    expect(() => limiter.update({ limit: 5 })).toThrow(ConfigError);
    expect(await usedOf(url)).toBe(ANSWER_TOKENS);
    expect(toldOf(await chat(url), 'a').limit).toBe(LIMITS.limit);
  });

  it('has a request under way charged by the configuration it began with', async () => {
    const late = onDemand();
    const { url, limiter } = await startLimited(LIMITS, { script: late.script });
    const asked = chat(url);
    await late.asked;
    limiter.update({ ...LIMITS, limit: 2000 });
    late.answer();
    await asked;
    expect(await usedOf(url)).toBe(0);
    limiter.update(LIMITS);
    expect(await usedOf(url)).toBe(ANSWER_TOKENS);
  });

  it('loses no charge to an update with the same limits', async () => {
    const late = onDemand();
    const { url, limiter } = await startLimited(LIMITS, { script: late.script });
    const asked = chat(url);
    await late.asked;
    limiter.update(LIMITS);
    late.answer();
    await asked;
    expect(await usedOf(url)).toBe(ANSWER_TOKENS);
  });
});

describe('close', () => {
  it('resolves at once where nothing is under way', async () => {
    const { url, limiter } = await startLimited(LIMITS);
    await chat(url);
    await expect(limiter.close()).resolves.toBeUndefined();
    await expect(aiRateLimiting(LIMITS).close()).resolves.toBeUndefined();
  });

  it('resolves when the requests under way have been charged', async () => {
    const late = onDemand();
    const { url, limiter } = await startLimited(LIMITS, { script: late.script });
    let isClosed = false;
    const asked = chat(url);
    await late.asked;
    const closed = limiter.close().then(() => {
      isClosed = true;
    });
    // A whole round trip, in which an eager close would have resolved.
    await usedOf(url);
    expect(isClosed).toBe(false);
    late.answer();
    await Promise.all([asked, closed]);
    expect(await usedOf(url)).toBe(ANSWER_TOKENS);
  });

  it('waits for those that began before an update as well', async () => {
    const late = onDemand();
    const { url, limiter } = await startLimited(LIMITS, { script: late.script });
    let isClosed = false;
    const asked = chat(url);
    await late.asked;
    limiter.update({ ...LIMITS, limit: 2000 });
    const closed = limiter.close().then(() => {
      isClosed = true;
    });
    await usedOf(url);
    expect(isClosed).toBe(false);
    late.answer();
    await Promise.all([asked, closed]);
    expect(isClosed).toBe(true);
  });

  it('waits no longer for a request whose client has gone', async () => {
    const { url, limiter, app } = await startLimited(LIMITS, {
      script(_call, res) {
        res.writeHead(200, { 'content-type': 'text/event-stream' });
        res.write(chatEvent('Hi'));
      },
    });
    const leaving = new AbortController();
    const answer = await post(url, { messages: [], stream: true }, { signal: leaving.signal });
    await answer.body?.getReader().read();
    const closed = limiter.close();
    leaving.abort();
    await closed;
    expect(app.finished).toMatchObject([{ llm_outcome: 'client_gone' }]);
  });

  it('may be called twice', async () => {
    const { limiter } = await startLimited(LIMITS);
    await Promise.all([limiter.close(), limiter.close()]);
    await expect(limiter.close()).resolves.toBeUndefined();
  });

  it('is not held up by a request that was refused, that failed, or whose quota could not be read', async () => {
    const { url, limiter } = await startLimited({ limit: `\${http_x_limit ?? 1}`, time_window: HOUR });
    await post(url, '{');
    await chat(url, { 'x-limit': 'abc' });
    await statusesOf(url, 3);
    await expect(limiter.close()).resolves.toBeUndefined();
  });
});

describe('a configuration that is wrong', () => {
  it('is refused when the middleware is made', () => {
    expect(() => aiRateLimiting({})).toThrow(ConfigError);
    expect(() => aiRateLimiting({ limit: 10 })).toThrow(/time_window/);
  });

  it('is not changed and may be changed afterwards', async () => {
    const config = { limit: 1000, time_window: HOUR };
    const { url } = await startLimited(config);
    expect(config).toEqual({ limit: 1000, time_window: HOUR });
    config.limit = 1;
    expect(await statusesOf(url, 2)).toEqual([200, 200]);
  });
});
