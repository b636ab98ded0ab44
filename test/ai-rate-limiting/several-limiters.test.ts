import type { AiRateLimitingConfig } from 'ai-proxy-multi';
import { describe, expect, it } from 'vitest';
import {
  ANSWER_TOKENS,
  chat,
  HOUR,
  makeLimiter,
  startLimited,
  statusesOf,
  toldOf,
  toldOfRule,
  usedOf,
} from './limited.ts';

/** A second limiter behind the first. */
function startTwo(
  first: AiRateLimitingConfig,
  second: AiRateLimitingConfig,
  names: [string, ...string[]] = ['a'],
) {
  const { limiter } = makeLimiter(second);
  return startLimited(first, { names, between: (app) => app.use(limiter) });
}

const perUser = { key: '$http_x_user', count: 2 * ANSWER_TOKENS, time_window: HOUR };
const jane = { 'x-user': 'jane' };

describe('two limiters in a row', () => {
  it('are both charged, and both tell', async () => {
    const { url } = await startTwo({ limit: 1000, time_window: 60 }, { rules: [perUser] });
    await chat(url, jane);
    const answer = await chat(url, jane);
    expect([toldOf(answer, 'a').remaining, toldOfRule(answer, 1).remaining]).toEqual([
      1000 - ANSWER_TOKENS,
      ANSWER_TOKENS,
    ]);
  });

  it.each([
    ['first', { limit: ANSWER_TOKENS, time_window: HOUR, rejected_code: 429 }, { rules: [perUser] }, 429],
    [
      'second',
      { limit: 1000, time_window: HOUR },
      { rules: [{ ...perUser, count: 1 }], rejected_code: 402 },
      402,
    ],
  ])('refuse a request when the %s has nothing left, in its words', async (_which, first, second, status) => {
    const { url } = await startTwo(first, second);
    expect(await statusesOf(url, 2, jane)).toEqual([200, status]);
  });

  it('refuse in the words of the first when both have nothing left', async () => {
    const { url } = await startTwo(
      { limit: 1, time_window: HOUR, rejected_code: 429 },
      { limit: 1, time_window: HOUR, rejected_code: 402 },
    );
    expect(await statusesOf(url, 2)).toEqual([200, 429]);
  });

  it('say retry-after for the one that is used up longer', async () => {
    const { url } = await startTwo({ limit: 1, time_window: 60 }, { rules: [{ ...perUser, count: 1 }] });
    await chat(url, jane);
    const wait = Number((await chat(url, jane)).headers.get('retry-after'));
    expect(wait).toBeGreaterThan(60);
    expect(wait).toBeLessThanOrEqual(HOUR);
  });

  it('say retry-after for the instance that is free again first, whichever of them limits it', async () => {
    const { url } = await startLimited(
      { instances: [{ name: 'a', limit: 1, time_window: HOUR }] },
      {
        names: ['a', 'b'],
        config: { fallback_strategy: ['rate_limiting'] },
        between: (app) =>
          app.use(makeLimiter({ instances: [{ name: 'b', limit: 1, time_window: 600 }] }).limiter),
      },
    );
    await statusesOf(url, 2);
    const answer = await chat(url);
    expect(answer.status).toBe(503);
    const wait = Number(answer.headers.get('retry-after'));
    expect(wait).toBeGreaterThan(500);
    expect(wait).toBeLessThanOrEqual(600);
  });

  it('have an instance passed over when either says so', async () => {
    const { url, upstream } = await startLimited(
      { instances: [{ name: 'a', limit: 1, time_window: HOUR }] },
      {
        names: ['a', 'b', 'c'],
        config: { fallback_strategy: ['rate_limiting'] },
        between: (app) =>
          app.use(makeLimiter({ instances: [{ name: 'b', limit: 1, time_window: HOUR }] }).limiter),
      },
    );
    expect(await statusesOf(url, 6)).toEqual([200, 200, 200, 200, 200, 200]);
    const models = upstream.calls.map(({ body }) => /model-(\w)/.exec(body)?.[1]);
    expect(models).toEqual(['a', 'b', 'c', 'c', 'c', 'c']);
  });

  it('with the same limits keep counters of their own', async () => {
    const limits = { limit: 1000, time_window: HOUR };
    const { url } = await startTwo(limits, limits);
    await chat(url);
    expect(await usedOf(url)).toBe(ANSWER_TOKENS);
  });

  it.each([
    ['first', { limit: 100, time_window: 60 }, { limit: 5000, time_window: HOUR }],
    ['second', { limit: 5000, time_window: HOUR }, { limit: 100, time_window: 60 }],
  ])(
    'show the client the tighter one whole, where it is the %s: its limit, remaining and reset',
    async (_which, first, second) => {
      const { url } = await startTwo(first, second);
      expect(toldOf(await chat(url), 'a')).toEqual({ limit: 100, remaining: 100, reset: 60 });
      const told = toldOf(await chat(url), 'a');
      expect(told).toMatchObject({ limit: 100, remaining: 100 - ANSWER_TOKENS });
      expect(told.reset).toBeLessThanOrEqual(60);
    },
  );

  it('show the one that is spent, on the answer that it refuses', async () => {
    const { url } = await startTwo({ limit: 1, time_window: HOUR }, { limit: 1000, time_window: 60 });
    await chat(url);
    const answer = await chat(url);
    expect(answer.status).toBe(503);
    expect(toldOf(answer, 'a')).toMatchObject({ limit: 1, remaining: 0 });
    expect(toldOf(answer, 'a').reset).toBeGreaterThan(60);
  });

  it('show the one that lasts longer where both are spent', async () => {
    const { url } = await startTwo({ limit: 1, time_window: 60 }, { limit: 1, time_window: HOUR });
    await chat(url);
    expect(toldOf(await chat(url), 'a').reset).toBeGreaterThan(60);
  });

  it('limit nothing where one cannot read its limit: the request is a 500', async () => {
    const { url, upstream } = await startTwo(
      { limit: 1000, time_window: HOUR },
      { limit: '$http_x_limit', time_window: HOUR },
    );
    expect((await chat(url)).status).toBe(500);
    expect(upstream.calls).toEqual([]);
  });
});

describe('one limiter', () => {
  it('mounted twice counts once', async () => {
    const { limiter } = makeLimiter({ limit: 1000, time_window: HOUR });
    const { url } = await startLimited(
      { rules: [] },
      { before: (app) => app.use(limiter), between: (app) => app.use('/', limiter) },
    );
    await chat(url);
    expect(await usedOf(url)).toBe(ANSWER_TOKENS);
  });

  it('in front of two gateways counts for both together', async () => {
    const first = await startLimited({ limit: 1000, time_window: HOUR });
    const second = await startLimited({ rules: [] }, { before: (app) => app.use(first.limiter) });
    await chat(first.url);
    await chat(second.url);
    expect(await usedOf(first.url)).toBe(2 * ANSWER_TOKENS);
  });
});
