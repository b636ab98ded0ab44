import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { instance, post, startApp } from '../support/app.ts';
import {
  errorCode,
  failureAnswers,
  failureNames,
  failures,
  startRawUpstream,
  timeoutFor,
} from '../support/broken-upstreams.ts';
import { ownPort } from '../support/own-port.ts';
import { answerJson, echoModel, startUpstream, type Upstream } from '../support/upstream.ts';

const startFailing = (
  status: number,
  body: unknown = { status },
  headers: Record<string, string> = {},
): Promise<Upstream> => startUpstream((_call, res) => answerJson(res, status, body, headers));

const both = (first: { url: string }, last: { url: string }) => ({
  fallback_strategy: ['http_429' as const, 'http_5xx' as const],
  instances: [instance('first', first.url, { priority: 1 }), instance('last', last.url)] satisfies [
    unknown,
    unknown,
  ],
});

describe('when nothing is left to try, the client gets the last answer', () => {
  it('with its status, content type, body and retry-after', async () => {
    const first = await startFailing(500, { from: 'first' }, { 'retry-after': '99' });
    const last = await startUpstream((_call, res) => {
      res.writeHead(429, { 'content-type': 'text/plain; charset=utf-8', 'retry-after': '7' });
      res.end('slow down');
    });
    const app = await startApp(both(first, last));
    const answer = await post(app.url);
    expect(answer.status).toBe(429);
    expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(answer.headers.get('retry-after')).toBe('7');
    expect(await answer.text()).toBe('slow down');
  });

  it('also to a stream request', async () => {
    const [first, last] = [await startFailing(529), await startFailing(503, { error: { message: 'busy' } })];
    const app = await startApp(both(first, last));
    const answer = await post(app.url, { messages: [], stream: true });
    expect(answer.status).toBe(503);
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(await answer.json()).toEqual({ error: { message: 'busy' } });
  });

  it('with a body of a megabyte, to the last byte', async () => {
    const text = 'x'.repeat(1024 * 1024);
    const config = both(await startFailing(500), await startFailing(500, { text }));
    const app = await startApp(config);
    const answer: unknown = await (await post(app.url)).json();
    expect(JSON.stringify(answer) === JSON.stringify({ text })).toBe(true);
  });

  it('with no body at all', async () => {
    const last = await startUpstream((_call, res) => {
      res.writeHead(503, { 'content-length': '0' });
      res.end();
    });
    const app = await startApp(both(await startFailing(500), last));
    const answer = await post(app.url);
    expect(answer.status).toBe(503);
    expect(await answer.text()).toBe('');
  });

  it('with its content encoding', async () => {
    const last = await startUpstream((_call, res) => {
      res.writeHead(503, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
      res.end(gzipSync('{"zipped":true}'));
    });
    const app = await startApp(both(await startFailing(500), last));
    const answer = await post(app.url);
    expect(answer.headers.get('content-encoding')).toBe('gzip');
    expect(await answer.json()).toEqual({ zipped: true });
  });

  it('also when it is the first of one', async () => {
    const only = await startFailing(500, { from: 'only' });
    const app = await startApp({ fallback_strategy: 'http_5xx', instances: [instance('only', only.url)] });
    const answer = await post(app.url);
    expect(answer.status).toBe(500);
    expect(await answer.json()).toEqual({ from: 'only' });
    expect(only.calls).toHaveLength(1);
  });

  it('not an earlier one that had a body, when the last connection failed', async () => {
    const first = await startFailing(500, { from: 'first' });
    const last = { url: `http://127.0.0.1:${await ownPort()}` };
    const app = await startApp(both(first, last));
    const answer = await post(app.url);
    expect(answer.status).toBe(502);
    expect(errorCode(await answer.json())).toBe('upstream_unreachable');
  });

  it.each(failureNames)('and the code that says why when the last one %s', async (name) => {
    const [status, code] = failureAnswers[name];
    const config = both(await startFailing(500), await startRawUpstream(failures[name]));
    const app = await startApp({ ...config, timeout: timeoutFor(name) });
    const answer = await post(app.url);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(errorCode(await answer.json())).toBe(code);
  });

  it('in the shape of the protocol that the client speaks', async () => {
    const app = await startApp({
      fallback_strategy: 'http_5xx',
      instances: [
        instance('a', `http://127.0.0.1:${await ownPort()}`, { provider: 'anthropic' }),
        instance('b', `http://127.0.0.1:${await ownPort()}`, { provider: 'anthropic' }),
      ],
    });
    const answer = await post(`${app.url}/v1/messages`, { messages: [], max_tokens: 1 });
    expect(answer.status).toBe(502);
    expect(await answer.json()).toMatchObject({ type: 'error', error: { type: 'api_error' } });
  });
});

describe('x-should-retry', () => {
  it('is false when every instance was tried and the last one answered with a failure', async () => {
    const app = await startApp(both(await startFailing(500), await startFailing(503)));
    expect((await post(app.url)).headers.get('x-should-retry')).toBe('false');
  });

  it('is false when every instance was tried and the last connection failed', async () => {
    const last = await startRawUpstream(failures['closes the connection before the head']);
    const app = await startApp(both(await startFailing(500), last));
    expect((await post(app.url)).headers.get('x-should-retry')).toBe('false');
  });

  it('is false when the only instance was tried', async () => {
    const only = await startFailing(500);
    const app = await startApp({ fallback_strategy: 'http_5xx', instances: [instance('only', only.url)] });
    expect((await post(app.url)).headers.get('x-should-retry')).toBe('false');
  });

  it('is false when max_retries was reached with the last instance', async () => {
    const config = both(await startFailing(500), await startFailing(503));
    const app = await startApp({ ...config, max_retries: 1 });
    expect((await post(app.url)).headers.get('x-should-retry')).toBe('false');
  });

  it('wins over what the upstream says', async () => {
    const insisting = { 'x-should-retry': 'true' };
    const app = await startApp(both(await startFailing(500), await startFailing(503, {}, insisting)));
    expect((await post(app.url)).headers.get('x-should-retry')).toBe('false');
  });

  it('is not sent while max_retries has left an instance untried', async () => {
    const config = both(await startFailing(500), await startUpstream(echoModel()));
    const app = await startApp({ ...config, max_retries: 0 });
    const answer = await post(app.url);
    expect(answer.status).toBe(500);
    expect(answer.headers.get('x-should-retry')).toBeNull();
  });

  it('is not sent with a good answer, even of the last instance', async () => {
    const app = await startApp(both(await startFailing(500), await startUpstream(echoModel())));
    const answer = await post(app.url);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-should-retry')).toBeNull();
  });

  it('is not sent with an answer that is no failure to the strategy', async () => {
    const app = await startApp(both(await startFailing(500), await startFailing(400)));
    const answer = await post(app.url);
    expect(answer.status).toBe(400);
    expect(answer.headers.get('x-should-retry')).toBeNull();
  });

  it('is not sent without a strategy, where a single try was made', async () => {
    const bad = await startFailing(500);
    const app = await startApp({ instances: [instance('a', bad.url), instance('b', bad.url)] });
    expect((await post(app.url)).headers.get('x-should-retry')).toBeNull();
  });
});
