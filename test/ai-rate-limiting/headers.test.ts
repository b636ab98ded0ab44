import { describe, expect, it } from 'vitest';
import { answerWith, streamWith } from '../log/observe.ts';
import { post } from '../support/app.ts';
import { rawAnswer, startRawUpstream } from '../support/broken-upstreams.ts';
import { codeIn, sendRaw } from '../support/gateway.ts';
import { ownPort } from '../support/own-port.ts';
import { chatEvent, doneEvent, usageEvent } from '../support/upstream.ts';
import { ANSWER_TOKENS, chat, HOUR, quotaHeaderNames, startLimited, toldOf } from './limited.ts';

const LIMITS = { limit: 100, time_window: HOUR };
const told = { limit: 100, remaining: 100, reset: HOUR };

/** The quota's header lines as they are sent. */
function linesOf(headers: readonly string[]): string[] {
  return headers.filter((line) => line.includes('RateLimit'));
}

const chatHead = ['Content-Type: application/json', 'Content-Length: 15'];

describe('the quota headers', () => {
  it('are named after the instance, as APISIX writes them', async () => {
    const { app } = await startLimited(LIMITS, { names: ['my-instance_1.5'] });
    const { headers } = await sendRaw(app.port, 'POST /', chatHead, '{"messages":[]}');
    expect(linesOf(headers)).toEqual([
      'X-AI-RateLimit-Limit-my-instance_1.5: 100',
      'X-AI-RateLimit-Remaining-my-instance_1.5: 100',
      'X-AI-RateLimit-Reset-my-instance_1.5: 3600',
    ]);
  });

  it.each([
    ['my instance/ü', 'my%20instance%2F%C3%BC'],
    ['日本😀', '%E6%97%A5%E6%9C%AC%F0%9F%98%80'],
    ['a:b\r\nset-cookie: c=d', 'a%3Ab%0D%0Aset-cookie%3A%20c%3Dd'],
  ])('have what no header name may hold percent-encoded: %j', async (name, encoded) => {
    const { app, url } = await startLimited(LIMITS, { names: [name], instance: () => ({ auth: {} }) });
    const { headers, status } = await sendRaw(app.port, 'POST /', chatHead, '{"messages":[]}');
    expect(status).toBe(200);
    expect(linesOf(headers)[0]).toBe(`X-AI-RateLimit-Limit-${encoded}: 100`);
    expect(toldOf(await chat(url), encoded).remaining).toBe(100 - ANSWER_TOKENS);
  });

  it('tell what is left before this request is charged', async () => {
    const { url } = await startLimited(LIMITS);
    const remaining: unknown[] = [];
    for (let index = 0; index < 5; index++) remaining.push(toldOf(await chat(url), 'a').remaining);
    expect(remaining).toEqual([100, 69, 38, 7, 0]);
  });

  it('tell the whole window before the first charge, and less of it from then on', async () => {
    const { url } = await startLimited(LIMITS);
    expect(toldOf(await chat(url), 'a').reset).toBe(HOUR);
    const { headers } = await chat(url);
    const reset = headers.get('x-ai-ratelimit-reset-a') ?? '';
    expect(reset).toMatch(/^\d+(\.\d{1,2})?$/);
    expect(Number(reset)).toBeGreaterThan(0);
    expect(Number(reset)).toBeLessThanOrEqual(HOUR);
  });

  it('begin no window with a request that costs nothing', async () => {
    const { url } = await startLimited(LIMITS, { script: answerWith({}, 500) });
    await chat(url);
    expect(toldOf(await chat(url), 'a')).toEqual(told);
  });

  it('are those of the instance that answers, alone', async () => {
    const { url } = await startLimited(LIMITS, { names: ['a', 'b'] });
    expect(quotaHeaderNames(await chat(url)).every((name) => name.endsWith('-a'))).toBe(true);
    expect(quotaHeaderNames(await chat(url)).every((name) => name.endsWith('-b'))).toBe(true);
  });

  it('come with a stream', async () => {
    const { url } = await startLimited(LIMITS, {
      script: streamWith(chatEvent('Hi') + usageEvent + doneEvent),
    });
    expect(toldOf(await post(url, { messages: [], stream: true }), 'a')).toEqual(told);
  });

  it.each([400, 401, 404, 429, 500, 503])('come with a %i of the upstream', async (status) => {
    const { url } = await startLimited(LIMITS, { script: answerWith({ error: {} }, status) });
    const answer = await chat(url);
    expect([answer.status, toldOf(answer, 'a')]).toEqual([status, told]);
  });

  it('come with the answer of the instance fallen back to', async () => {
    const { url } = await startLimited(LIMITS, {
      names: ['a', 'b'],
      config: { fallback_strategy: ['http_5xx'] },
      script: (call, res, req) => answerWith({}, call.body.includes('model-a') ? 500 : 200)(call, res, req),
    });
    const answer = await chat(url);
    expect([answer.status, toldOf(answer, 'b'), toldOf(answer, 'a').limit]).toEqual([200, told, undefined]);
  });

  it('come with a 502 of the gateway for an instance it cannot reach', async () => {
    const endpoint = `http://127.0.0.1:${await ownPort()}`;
    const { url } = await startLimited(LIMITS, { instance: () => ({ override: { endpoint } }) });
    const answer = await chat(url);
    expect([answer.status, toldOf(answer, 'a')]).toEqual([502, told]);
  });

  it('come with a request that is passed through', async () => {
    const { url } = await startLimited(LIMITS);
    const answer = await fetch(`${url}/v1/models`);
    expect(toldOf(answer, 'a')).toEqual(told);
  });

  it("stand in place of an upstream's own of the same names", async () => {
    const upstream = await startRawUpstream((socket) =>
      socket.end(rawAnswer('200 OK', '{}', ['x-ai-ratelimit-remaining-a: 999', 'X-RateLimit-Limit: 7'])),
    );
    const { url } = await startLimited(LIMITS, {
      instance: () => ({ override: { endpoint: upstream.url } }),
    });
    const answer = await chat(url);
    expect([toldOf(answer, 'a').remaining, answer.headers.get('x-ratelimit-limit')]).toEqual([100, '7']);
  });

  it('come with a refusal, which leaves nothing', async () => {
    const { url } = await startLimited(LIMITS);
    for (let index = 0; index < 4; index++) await chat(url);
    const answer = await chat(url);
    expect([answer.status, toldOf(answer, 'a')]).toMatchObject([503, { limit: 100, remaining: 0 }]);
    expect(toldOf(answer, 'a').reset).toBeGreaterThan(0);
  });

  it.each([
    ['no JSON', '{"messages":', 'invalid_json'],
    ['empty', '', 'empty_body'],
  ])('are missing where the gateway itself refuses a body that is %s', async (_what, body, code) => {
    const { url, upstream } = await startLimited(LIMITS);
    const answer = await post(url, body);
    expect([answer.status, codeIn(await answer.text()), quotaHeaderNames(answer)]).toEqual([400, code, []]);
    expect(upstream.calls).toEqual([]);
  });

  it('are missing where no instance speaks the protocol', async () => {
    const { url } = await startLimited(LIMITS, { instance: () => ({ provider: 'anthropic' }) });
    const answer = await post(`${url}/v1/embeddings`, { input: 'Hi' });
    expect([answer.status, quotaHeaderNames(answer)]).toEqual([400, []]);
  });
});

describe('show_limit_quota_header: false', () => {
  const silent = { ...LIMITS, show_limit_quota_header: false };

  it('leaves the headers out', async () => {
    const { url } = await startLimited(silent);
    expect(quotaHeaderNames(await chat(url))).toEqual([]);
  });

  it('leaves them out of a refusal, which says retry-after all the same', async () => {
    const { url } = await startLimited({ ...silent, limit: 1 });
    await chat(url);
    const answer = await chat(url);
    expect([answer.status, quotaHeaderNames(answer)]).toEqual([503, []]);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  });
});
