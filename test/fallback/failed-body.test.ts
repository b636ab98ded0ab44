import { describe, expect, it } from 'vitest';
import { type App, type InstanceConfig, instance, post, startApp } from '../support/app.ts';
import { startRawUpstream } from '../support/broken-upstreams.ts';
import { chatEvent, echoModel, type Script, startUpstream } from '../support/upstream.ts';

interface Failed {
  readonly answer: Response;
  readonly text: string;
  readonly app: App;
  /** What the log says of the failed answer's body. */
  readonly body: string;
}

/** One request to an instance that fails with what `script` answers, and then to one that is well. */
async function failWith(
  script: Script,
  more: Partial<InstanceConfig> = {},
  request: unknown = undefined,
): Promise<Failed> {
  const [bad, good] = [await startUpstream(script), await startUpstream(echoModel())];
  const app = await startApp({
    fallback_strategy: ['http_429', 'http_5xx'],
    instances: [instance('bad', bad.url, { priority: 1, ...more }), instance('good', good.url)],
  });
  const answer = await post(app.url, request);
  const text = await answer.text();
  // The failed answer is let go before the good one is asked for, but may end after it.
  await app.middleware.close();
  const bodies = bodiesIn(app);
  expect(bodies).toHaveLength(1);
  return { answer, text, app, body: bodies[0] ?? '' };
}

function bodiesIn(app: App): string[] {
  return app.logs.flatMap(({ data }) => (typeof data.body === 'string' ? [data.body] : []));
}

const send =
  (status: number, ...chunks: string[]): Script =>
  (_call, res) => {
    res.writeHead(status, { 'content-type': 'text/plain' });
    // In one packet, as far as they fit.
    res.cork();
    for (const chunk of chunks) res.write(chunk);
    res.uncork();
    res.end();
  };

describe("the failed attempt's body", () => {
  it('is logged with the instance and the status, and not sent', async () => {
    const { text, app, body } = await failWith(send(503, 'out of GPUs'));
    expect(body).toBe('out of GPUs');
    expect(text).not.toContain('GPUs');
    expect(app.logs).toContainEqual({
      level: 'warn',
      data: { instance: 'bad', status: 503, body: 'out of GPUs' },
      message: expect.any(String),
    });
  });

  it('is logged up to 4 KiB', async () => {
    const { body } = await failWith(send(500, 'x'.repeat(10_000)));
    expect(body).toBe('x'.repeat(4096));
  });

  it('is logged up to 4 KiB of bytes, not of characters', async () => {
    const { body } = await failWith(send(500, '€'.repeat(3000)));
    expect(body).toBe('€'.repeat(Math.floor(4096 / 3)));
  });

  it('is logged once, however many chunks of it came at a time', async () => {
    const { body } = await failWith(send(500, 'a'.repeat(5000), 'b'.repeat(5000), 'c'.repeat(5000)));
    expect(body).toBe('a'.repeat(4096));
  });

  it('is put together from chunks', async () => {
    const { body } = await failWith(send(500, 'first ', 'second ', 'third'));
    expect(body).toBe('first second third');
  });

  it('is logged on one line, whatever breaks lines', async () => {
    const { body } = await failWith(send(500, 'a\r\nb\nc\u2028d\u2029e\u0085f\u001b[31mg\u0000h'));
    expect(body).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u);
    expect(body).toBe('a b c d e f [31mg h');
  });

  it('is logged also when it breaks off', async () => {
    const bad = await startRawUpstream((socket) =>
      socket.end('HTTP/1.1 500 Oops\r\nContent-Length: 100\r\n\r\nhalf of'),
    );
    const good = await startUpstream(echoModel());
    const app = await startApp({
      fallback_strategy: 'http_5xx',
      instances: [instance('bad', bad.url, { priority: 1 }), instance('good', good.url)],
    });
    expect((await post(app.url)).status).toBe(200);
    expect(bodiesIn(app)).toEqual(['half of']);
  });

  it('is logged where it is an error in the first event of a stream', async () => {
    const error = 'data: {"error":{"type":"overloaded_error","message":"busy"}}\n\n';
    const { body, text } = await failWith(
      (_call, res) => {
        res.writeHead(200, { 'content-type': 'text/event-stream' });
        res.end(error + chatEvent('late'));
      },
      {},
      { messages: [], stream: true },
    );
    expect(body).toContain('overloaded_error');
    expect(text).not.toContain('busy');
  });

  it('leaves its socket usable when it has been read to its end', async () => {
    let calls = 0;
    const bad = await startUpstream((_call, res) => {
      calls++;
      res.writeHead(500, { 'content-type': 'text/plain' });
      res.end('short');
    });
    const good = await startUpstream(echoModel());
    const app = await startApp({
      fallback_strategy: 'http_5xx',
      instances: [instance('bad', bad.url, { priority: 1 }), instance('good', good.url)],
    });
    for (let index = 0; index < 5; index++) await (await post(app.url)).text();
    expect(calls).toBe(5);
    expect(bad.connections).toBe(1);
  });

  it('takes its socket with it when there is more of it than is logged', async () => {
    const bad = await startRawUpstream((socket) =>
      socket.write(`HTTP/1.1 500 Oops\r\nContent-Length: 1000000\r\n\r\n${'x'.repeat(20_000)}`),
    );
    const good = await startUpstream(echoModel());
    const app = await startApp({
      fallback_strategy: 'http_5xx',
      instances: [instance('bad', bad.url, { priority: 1 }), instance('good', good.url)],
    });
    expect((await post(app.url)).status).toBe(200);
    await bad.deserted();
  });
});

describe('secrets in a failed body', () => {
  it('are replaced, with and without their scheme', async () => {
    const { body } = await failWith(send(500, 'got "Bearer key-bad", that is key-bad'));
    expect(body).toBe('got "***", that is ***');
  });

  it('are replaced where they come from auth.query', async () => {
    const { body } = await failWith(send(500, 'no such key: q-secret'), {
      auth: { query: { key: 'q-secret' } },
    });
    expect(body).toBe('no such key: ***');
  });

  it('are replaced where two chunks share one', async () => {
    const { body } = await failWith(send(500, 'the key is key-', 'bad, which is wrong'));
    expect(body).toBe('the key is ***, which is wrong');
  });

  it('leave no half behind at the edge of 4 KiB', async () => {
    const { body } = await failWith(send(500, `${'x'.repeat(4090)}key-bad${'y'.repeat(5000)}`));
    expect(body).not.toContain('key');
    expect(body).toBe(`${'x'.repeat(4090)}***yyy`);
  });

  it('leave no half behind where a chunk ends just beyond 4 KiB', async () => {
    const secret = 'sk-0123456789-0123456789-0123456789';
    const { body } = await failWith(
      send(500, `${'x'.repeat(4080)}${secret.slice(0, 20)}`, `${secret.slice(20)} and more`),
      { auth: { header: { Authorization: `Bearer ${secret}` } } },
    );
    expect(body).not.toContain('sk-');
  });

  it("are replaced where they are the caller's own, passed on by host.forwardHeaders", async () => {
    const bad = await startUpstream((call, res) => {
      res.writeHead(401, { 'content-type': 'text/plain' });
      res.end(`no such key: ${call.headers.authorization} ${call.headers['x-api-key']}`);
    });
    const good = await startUpstream(echoModel());
    const app = await startApp(
      {
        fallback_http_statuses: [401],
        instances: [instance('bad', bad.url, { priority: 1, auth: {} }), instance('good', good.url)],
      },
      { host: { forwardHeaders: ['Authorization', 'X-API-Key'] } },
    );
    const headers = { authorization: 'Bearer callers-own', 'x-api-key': 'callers-other' };
    expect((await post(app.url, undefined, { headers })).status).toBe(200);
    expect(bodiesIn(app)).toEqual(['no such key: *** ***']);
  });

  it('leave nothing behind where one is the beginning of another', async () => {
    const { body } = await failWith(send(500, 'got tenant-1-secret'), {
      auth: { header: { 'X-Tenant': 'tenant-1', 'X-Key': 'tenant-1-secret' } },
    });
    expect(body).toBe('got ***');
  });
});
