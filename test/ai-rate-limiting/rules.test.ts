import { describe, expect, it } from 'vitest';
import { post } from '../support/app.ts';
import {
  ANSWER_TOKENS,
  chat,
  HOUR,
  quotaHeaderNames,
  startLimited,
  statusesOf,
  toldOfRule,
  usedOfRule,
} from './limited.ts';

const perUser = { rules: [{ key: `\${http_x_user}`, count: ANSWER_TOKENS, time_window: HOUR }] };

/** A user whose name says how it is spent. */
const as = (user: string): Record<string, string> => ({ 'x-user': user });

describe('a rule', () => {
  it('limits all requests with the same key, whichever instance they go to', async () => {
    const { url } = await startLimited(perUser, { names: ['a', 'b', 'c'] });
    expect(await statusesOf(url, 3, as('jane'))).toEqual([200, 503, 503]);
  });

  it('leaves a user what another one has not used', async () => {
    const { url } = await startLimited(perUser);
    expect(await statusesOf(url, 2, as('jane'))).toEqual([200, 503]);
    expect(await statusesOf(url, 2, as('john'))).toEqual([200, 503]);
  });

  it.each([
    ['whose names differ in case', 'jane', 'Jane'],
    ['one of whom is called as the other with more behind it', 'jane', 'jane:1'],
    ['whose names differ behind what is kept of a long one', `${'j'.repeat(4000)}1`, `${'j'.repeat(4000)}2`],
    ['one of whom is called like a member of every object', 'jane', '__proto__'],
    ['whose names are not ASCII', 'Jané', 'Janê'],
  ])('never lets two users share: %s', async (_what, one, other) => {
    const { url } = await startLimited(perUser);
    await chat(url, as(one));
    expect([await usedOfRule(url, 1, as(one)), await usedOfRule(url, 1, as(other))]).toEqual([
      ANSWER_TOKENS,
      0,
    ]);
  });

  it('does not limit a request that has none of its variables', async () => {
    const { url } = await startLimited(perUser);
    expect(await statusesOf(url, 3)).toEqual([200, 200, 200]);
    expect(quotaHeaderNames(await chat(url))).toEqual([]);
  });

  it('does not limit a request whose variable is empty', async () => {
    const { url } = await startLimited(perUser);
    expect(await statusesOf(url, 3, as(''))).toEqual([200, 200, 200]);
  });

  it('limits a request that has one of several variables', async () => {
    const { url } = await startLimited({
      rules: [{ key: '$http_x_org/$http_x_user', count: 1, time_window: HOUR }],
    });
    expect(await statusesOf(url, 2, as('jane'))).toEqual([200, 503]);
    expect((await chat(url, { ...as('jane'), 'x-org': 'acme' })).status).toBe(200);
  });

  it('limits all who have no name together, where its key says so', async () => {
    const { url } = await startLimited({
      rules: [{ key: `\${http_x_user ?? nobody}`, count: 1, time_window: HOUR }],
    });
    expect(await statusesOf(url, 2)).toEqual([200, 503]);
  });

  it('does not look at the limit of a request it does not apply to', async () => {
    const { url } = await startLimited({
      rules: [{ key: '$http_x_user', count: '$http_x_limit', time_window: HOUR }],
    });
    expect((await chat(url)).status).toBe(200);
  });

  it('counts by the caller, as host.vars tells', async () => {
    const { url } = await startLimited(
      { rules: [{ key: '$tenant', count: 1, time_window: HOUR }] },
      {
        limiterHost: {
          vars: (name, req) => (name === 'tenant' ? req.headers['x-key']?.slice(0, 4).toString() : undefined),
        },
      },
    );
    expect((await chat(url, { 'x-key': 'acme-1' })).status).toBe(200);
    expect((await chat(url, { 'x-key': 'acme-2' })).status).toBe(503);
    expect((await chat(url, { 'x-key': 'ajax-1' })).status).toBe(200);
  });

  it('counts by the consumer that an auth middleware has found', async () => {
    const { url } = await startLimited(
      { rules: [{ key: '$consumer_name', count: 1, time_window: HOUR }] },
      {
        before: (app) =>
          app.use((req, res, next) => {
            if (req.headers['x-user'] !== undefined)
              res.locals.consumer = { username: req.headers['x-user'] };
            next();
          }),
      },
    );
    expect(await statusesOf(url, 2, as('jane'))).toEqual([200, 503]);
    expect((await chat(url, as('john'))).status).toBe(200);
    expect(await statusesOf(url, 2)).toEqual([200, 200]);
  });

  it('counts by a consumer that is found only behind the limiter', async () => {
    const { url } = await startLimited(
      { rules: [{ key: '$consumer_name', count: 1, time_window: HOUR }] },
      {
        between: (app) =>
          app.use((_req, res, next) => {
            res.locals.consumer = { username: 'late' };
            next();
          }),
      },
    );
    expect(await statusesOf(url, 2)).toEqual([200, 503]);
  });

  it('takes a key of 16 KiB', async () => {
    const padding = 'k'.repeat(16 * 1024);
    const { url } = await startLimited(
      { rules: [{ key: '$long', count: ANSWER_TOKENS, time_window: HOUR }] },
      {
        limiterHost: { vars: (name, req) => (name === 'long' ? padding + req.headers['x-user'] : undefined) },
      },
    );
    expect(await statusesOf(url, 2, as('jane'))).toEqual([200, 503]);
    expect((await chat(url, as('john'))).status).toBe(200);
  });

  it("goes by the request alone where the host's variables cannot be read", async () => {
    const { url, logs } = await startLimited(perUser, {
      limiterHost: {
        vars() {
          throw new Error('no variables today');
        },
      },
    });
    expect(await statusesOf(url, 2, as('jane'))).toEqual([200, 503]);
    expect(logs).toMatchObject([
      { level: 'error', data: { hook: 'vars', reason: 'no variables today' } },
      { level: 'error' },
    ]);
  });
});

describe('several rules', () => {
  const rules = [
    { key: '$http_x_user', count: 2 * ANSWER_TOKENS, time_window: 60 },
    { key: '$http_x_org', count: 3 * ANSWER_TOKENS, time_window: HOUR, header_prefix: 'Org' },
  ];

  it('count by counters of their own', async () => {
    const { url } = await startLimited({ rules });
    await chat(url, { ...as('jane'), 'x-org': 'acme' });
    const answer = await chat(url, { ...as('john'), 'x-org': 'acme' });
    expect(toldOfRule(answer, 1)).toEqual({ limit: 62, remaining: 62, reset: 60 });
    expect(toldOfRule(answer, 'Org')).toMatchObject({ limit: 93, remaining: 62 });
  });

  it('keep the same text under two keys apart', async () => {
    const { url } = await startLimited({ rules });
    await chat(url, { 'x-user': 'acme' });
    expect(await usedOfRule(url, 'Org', { 'x-org': 'acme' })).toBe(0);
  });

  it('refuse a request when one of them is used up', async () => {
    const { url } = await startLimited({ rules });
    expect(await statusesOf(url, 3, { ...as('jane'), 'x-org': 'acme' })).toEqual([200, 200, 503]);
    expect((await chat(url, { ...as('john'), 'x-org': 'acme' })).status).toBe(200);
    expect((await chat(url, { ...as('june'), 'x-org': 'acme' })).status).toBe(503);
  });

  it('do not charge one of them for what another has refused', async () => {
    const { url } = await startLimited({ rules });
    await statusesOf(url, 4, { ...as('jane'), 'x-org': 'acme' });
    expect(await usedOfRule(url, 'Org', { 'x-org': 'acme' })).toBe(2 * ANSWER_TOKENS);
  });

  it('say in the headers which they are: by header_prefix, else by their place, counted from 1', async () => {
    const { url } = await startLimited({
      rules: [...rules, { key: '$remote_addr', count: 5, time_window: 5 }],
    });
    const answer = await post(url, undefined, { headers: { ...as('jane'), 'x-org': 'acme' } });
    expect(quotaHeaderNames(answer).toSorted()).toEqual(
      ['1', 'org', '3']
        .flatMap((prefix) =>
          ['limit', 'remaining', 'reset'].map((what) => `x-ai-${prefix}-ratelimit-${what}`),
        )
        .toSorted(),
    );
  });

  it('say nothing in the headers where they do not apply', async () => {
    const { url } = await startLimited({ rules });
    expect(quotaHeaderNames(await chat(url, { 'x-org': 'acme' })).toSorted()).toEqual([
      'x-ai-org-ratelimit-limit',
      'x-ai-org-ratelimit-remaining',
      'x-ai-org-ratelimit-reset',
    ]);
  });

  it('go on counting what they counted when they are written down in another order', async () => {
    const [first, second] = [
      { key: '$http_x_user', count: 100, time_window: 60, header_prefix: 'Minute' },
      { key: `\${http_x_user}`, count: 1000, time_window: HOUR, header_prefix: 'Hour' },
    ];
    const { url, limiter } = await startLimited({ rules: [first, second] });
    await chat(url, as('jane'));
    limiter.update({ rules: [second, first] });
    const answer = await chat(url, as('jane'));
    expect(toldOfRule(answer, 'Hour').reset).toBeGreaterThan(60);
    expect(toldOfRule(answer, 'Minute').reset).toBeLessThanOrEqual(60);
  });
});

describe('no rules at all', () => {
  it('limit nothing', async () => {
    const { url } = await startLimited({ rules: [] });
    expect(await statusesOf(url, 3)).toEqual([200, 200, 200]);
  });
});
