import { describe, expect, it } from 'vitest';
import { instance, post, startApp } from '../support/app.ts';
import {
  errorCode,
  failureAnswers,
  failureNames,
  failures,
  startRawUpstream,
  timeoutFor,
  UNRESOLVABLE,
} from '../support/broken-upstreams.ts';
import { ownPort } from '../support/own-port.ts';
import { answerJson, chatAnswer, doneEvent, startUpstream, type Upstream } from '../support/upstream.ts';

const chat = { messages: [{ role: 'user', content: 'Hi' }] };
const requests = [
  { kind: 'a plain request', body: chat },
  { kind: 'a stream request', body: { ...chat, stream: true } },
];
/** Where nothing else has to be in time. */
const SHORT_MS = 60;

const startGood = (): Promise<Upstream> =>
  startUpstream((call, res) => {
    if (!call.body.includes('"stream":true')) return answerJson(res, 200, chatAnswer('good', 'rescued'));
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.end(
      `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: 'rescued' } }] })}\n\n${doneEvent}`,
    );
  });

describe.each(requests)('$kind', ({ body }) => {
  describe.each(failureNames)('to an instance that %s', (name) => {
    const [status, code] = failureAnswers[name];

    it('moves on to the next instance with http_5xx', async () => {
      const [bad, good] = [await startRawUpstream(failures[name]), await startGood()];
      const app = await startApp({
        fallback_strategy: ['http_5xx'],
        timeout: timeoutFor(name),
        instances: [instance('bad', bad.url, { priority: 1 }), instance('good', good.url)],
      });
      const answer = await post(app.url, body);
      expect(answer.status).toBe(200);
      expect(await answer.text()).toContain('rescued');
      expect(bad.requests).toHaveLength(1);
      expect((await app.ended(1))[0]?.llm_attempts).toMatchObject([
        { instance: 'bad', error: code },
        { instance: 'good', status: 200 },
      ]);
    });

    it(`is answered with ${status} without a strategy`, async () => {
      const [bad, good] = [await startRawUpstream(failures[name]), await startGood()];
      const app = await startApp({
        timeout: status === 504 ? SHORT_MS : 30_000,
        instances: [instance('bad', bad.url, { priority: 1 }), instance('good', good.url)],
      });
      const answer = await post(app.url, body);
      expect(answer.status).toBe(status);
      expect(answer.headers.get('content-type')).toBe('application/json');
      expect(errorCode(await answer.json())).toBe(code);
      expect(good.calls).toHaveLength(0);
    });

    it('leaves no socket behind', async () => {
      const bad = await startRawUpstream(failures[name]);
      const app = await startApp({
        timeout: status === 504 ? SHORT_MS : 30_000,
        instances: [instance('bad', bad.url)],
      });
      await (await post(app.url, body)).text();
      await bad.deserted();
      expect(bad.requests).toHaveLength(1);
    });
  });

  describe.each([
    { name: 'whose port is closed', endpoint: async () => `http://127.0.0.1:${await ownPort()}` },
    { name: 'whose name does not resolve', endpoint: async () => UNRESOLVABLE },
  ])('to an instance $name', ({ endpoint }) => {
    it('moves on to the next instance with http_5xx', async () => {
      const good = await startGood();
      const app = await startApp({
        fallback_strategy: 'http_5xx',
        instances: [instance('bad', await endpoint(), { priority: 1 }), instance('good', good.url)],
      });
      const answer = await post(app.url, body);
      expect(answer.status).toBe(200);
      expect(await answer.text()).toContain('rescued');
    });

    it('is answered with 502 without a strategy that covers it', async () => {
      const good = await startGood();
      const app = await startApp({
        fallback_strategy: ['http_429'],
        instances: [instance('bad', await endpoint(), { priority: 1 }), instance('good', good.url)],
      });
      const answer = await post(app.url, body);
      expect(answer.status).toBe(502);
      expect(errorCode(await answer.json())).toBe('upstream_unreachable');
      expect(good.calls).toHaveLength(0);
    });
  });

  describe.each([
    { status: 429, strategy: 'http_429' as const, other: 'http_5xx' as const },
    ...[500, 502, 503, 504, 529].map((status) => ({
      status,
      strategy: 'http_5xx' as const,
      other: 'http_429' as const,
    })),
  ])('to an instance that answers $status', ({ status, strategy, other }) => {
    const startFailing = (): Promise<Upstream> =>
      startUpstream((_call, res) =>
        answerJson(res, status, { error: { message: 'mine alone' } }, { 'x-of': 'bad' }),
      );

    it(`moves on with ${strategy} and sends nothing of the first instance's answer`, async () => {
      const [bad, good] = [await startFailing(), await startGood()];
      const app = await startApp({
        fallback_strategy: [strategy],
        instances: [instance('bad', bad.url, { priority: 1 }), instance('good', good.url)],
      });
      const answer = await post(app.url, body);
      const text = await answer.text();
      expect(answer.status).toBe(200);
      expect(answer.headers.get('x-of')).toBeNull();
      expect(text).toContain('rescued');
      expect(text).not.toContain('mine alone');
    });

    it.each([[undefined], [[other]]])('is answered as it is with the strategy %j', async (unfit) => {
      const [bad, good] = [await startFailing(), await startGood()];
      const app = await startApp({
        ...(unfit === undefined ? {} : { fallback_strategy: unfit }),
        instances: [instance('bad', bad.url, { priority: 1 }), instance('good', good.url)],
      });
      const answer = await post(app.url, body);
      expect(answer.status).toBe(status);
      expect(answer.headers.get('x-of')).toBe('bad');
      expect(await answer.json()).toEqual({ error: { message: 'mine alone' } });
      expect(good.calls).toHaveLength(0);
    });
  });
});
