import { describe, expect, it } from 'vitest';
import { post } from '../support/app.ts';
import { codeIn } from '../support/gateway.ts';
import { ANSWER_TOKENS, chat, HOUR, quotaHeaderNames, startLimited, statusesOf, toldOf } from './limited.ts';

describe('limit and time_window', () => {
  it('serve requests until the tokens are used up, then none', async () => {
    const { url } = await startLimited({ limit: 2 * ANSWER_TOKENS, time_window: HOUR });
    expect(await statusesOf(url, 4)).toEqual([200, 200, 503, 503]);
  });

  it('serve the request that overshoots: what it costs is known only when it has been answered', async () => {
    const { url } = await startLimited({ limit: 1, time_window: HOUR });
    expect(await statusesOf(url, 2)).toEqual([200, 503]);
  });

  it('serve one more when a single token is left', async () => {
    const { url } = await startLimited({ limit: ANSWER_TOKENS + 1, time_window: HOUR });
    expect(await statusesOf(url, 3)).toEqual([200, 200, 503]);
  });

  it('count each instance by itself, as APISIX does', async () => {
    const { url } = await startLimited(
      { limit: ANSWER_TOKENS, time_window: HOUR },
      { names: ['a', 'b'], config: { fallback_strategy: ['rate_limiting'] } },
    );
    expect(await statusesOf(url, 3)).toEqual([200, 200, 503]);
  });
});

describe('instances', () => {
  it('have limits and windows of their own', async () => {
    const { url } = await startLimited(
      {
        instances: [
          { name: 'a', limit: 100, time_window: 60 },
          { name: 'b', limit: 200, time_window: HOUR },
        ],
      },
      { names: ['a', 'b'] },
    );
    const [first, second] = [await chat(url), await chat(url)];
    expect(toldOf(first, 'a')).toEqual({ limit: 100, remaining: 100, reset: 60 });
    expect(toldOf(second, 'b')).toEqual({ limit: 200, remaining: 200, reset: HOUR });
  });

  it('that are not listed are not limited', async () => {
    const { url } = await startLimited(
      { instances: [{ name: 'other', limit: 1, time_window: HOUR }] },
      { names: ['a'] },
    );
    expect(await statusesOf(url, 3)).toEqual([200, 200, 200]);
    expect(quotaHeaderNames(await chat(url))).toEqual([]);
  });

  it('that are not listed have the limit of all, where there is one', async () => {
    const { url } = await startLimited(
      { limit: 500, time_window: 60, instances: [{ name: 'b', limit: 200, time_window: HOUR }] },
      { names: ['a', 'b'] },
    );
    const [first, second] = [await chat(url), await chat(url)];
    expect(toldOf(first, 'a')).toEqual({ limit: 500, remaining: 500, reset: 60 });
    expect(toldOf(second, 'b')).toEqual({ limit: 200, remaining: 200, reset: HOUR });
  });

  it('may be called like members of every object', async () => {
    const { url } = await startLimited({ limit: 1, time_window: HOUR }, { names: ['__proto__'] });
    expect(await statusesOf(url, 2)).toEqual([200, 503]);
  });
});

describe('a limit and a window that are templates', () => {
  const templates = { limit: `\${http_x_limit ?? 60}`, time_window: `\${http_x_window ?? 120}` };

  it('are read from the request', async () => {
    const { url } = await startLimited(templates);
    const answer = await chat(url, { 'x-limit': '1000', 'x-window': '30' });
    expect(toldOf(answer, 'a')).toEqual({ limit: 1000, remaining: 1000, reset: 30 });
  });

  it('fall back to their defaults', async () => {
    const { url } = await startLimited(templates);
    expect(toldOf(await chat(url), 'a')).toEqual({ limit: 60, remaining: 60, reset: 120 });
  });

  it('limit: a request with a higher limit is served where one with a lower is not', async () => {
    const { url } = await startLimited(templates);
    expect(await statusesOf(url, 3)).toEqual([200, 200, 503]);
    const answer = await chat(url, { 'x-limit': '100' });
    expect([answer.status, toldOf(answer, 'a').remaining]).toEqual([200, 100 - 2 * ANSWER_TOKENS]);
  });

  it('may stand at an instance and at a rule', async () => {
    const limit = '$arg_limit';
    const ofInstance = await startLimited({ instances: [{ name: 'a', limit, time_window: HOUR }] });
    const ofRule = await startLimited({
      rules: [{ key: '$remote_addr', count: limit, time_window: `\${arg_window}` }],
    });
    expect(toldOf(await chat(`${ofInstance.url}?limit=77`), 'a').limit).toBe(77);
    const answer = await chat(`${ofRule.url}?limit=78&window=9`);
    expect([
      answer.headers.get('x-ai-1-ratelimit-limit'),
      answer.headers.get('x-ai-1-ratelimit-reset'),
    ]).toEqual(['78', '9']);
  });

  it('may be numbers written as text', async () => {
    const { url } = await startLimited({ limit: '500', time_window: '60' });
    expect(toldOf(await chat(url), 'a')).toEqual({ limit: 500, remaining: 500, reset: 60 });
  });

  it('are taken from host.vars too', async () => {
    const { url } = await startLimited(
      { limit: '$plan_limit', time_window: HOUR },
      { limiterHost: { vars: (name) => (name === 'plan_limit' ? '4242' : undefined) } },
    );
    expect(toldOf(await chat(url), 'a').limit).toBe(4242);
  });
});

const garbage = ['abc', '0', '-1', '1.5', '1e400', 'Infinity', '12, 13', '9007199254740993'];

describe('a limit that comes to anything but a whole number above 0', () => {
  const config = { limit: `\${http_x_limit}`, time_window: HOUR };

  it.each(garbage)('is a 500: %s', async (limit) => {
    const { url, upstream } = await startLimited(config);
    const answer = await post(url, undefined, { headers: { 'x-limit': limit } });
    expect([answer.status, codeIn(await answer.text())]).toEqual([500, 'invalid_quota']);
    expect(upstream.calls).toEqual([]);
  });

  it('is a 500 where the variable is missing, and so is a window', async () => {
    const limitless = await startLimited(config);
    const endless = await startLimited({ limit: 10, time_window: '$http_x_window' });
    for (const { url, upstream } of [limitless, endless]) {
      const answer = await post(url);
      expect([answer.status, codeIn(await answer.text())]).toEqual([500, 'invalid_quota']);
      expect(upstream.calls).toEqual([]);
    }
  });

  it("is told in the client's protocol", async () => {
    const { url } = await startLimited(config, { instance: () => ({ provider: 'anthropic' }) });
    const answer = await post(`${url}/v1/messages`);
    expect([answer.status, await answer.json()]).toEqual([
      500,
      { type: 'error', error: { type: 'api_error', code: 'invalid_quota', message: expect.any(String) } },
    ]);
  });

  it('does not repeat what the client sent', async () => {
    const { url } = await startLimited(config);
    const answer = await post(url, undefined, { headers: { 'x-limit': 'of-the-client' } });
    expect(await answer.text()).not.toContain('of-the-client');
  });

  it('is a 500 with allow_degradation as well: a client could switch its limit off', async () => {
    const { url, upstream } = await startLimited({ ...config, allow_degradation: true });
    expect((await chat(url, { 'x-limit': 'none' })).status).toBe(500);
    expect(upstream.calls).toEqual([]);
  });

  it('is a 500 at one instance of several, whichever would have its turn', async () => {
    const { url, upstream } = await startLimited(
      { instances: [{ name: 'b', limit: '$http_x_limit', time_window: HOUR }] },
      { names: ['a', 'b'] },
    );
    expect(await statusesOf(url, 2, { 'x-limit': 'abc' })).toEqual([500, 500]);
    expect(upstream.calls).toEqual([]);
  });

  it('harms no later request', async () => {
    const { url } = await startLimited(config);
    await chat(url, { 'x-limit': 'abc' });
    const answer = await chat(url, { 'x-limit': '100' });
    expect([answer.status, toldOf(answer, 'a').remaining]).toEqual([200, 100]);
  });
});
