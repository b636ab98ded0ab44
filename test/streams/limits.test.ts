import { describe, expect, it } from 'vitest';
import { instance, post, startApp } from '../support/app.ts';
import { answerJson, chatEvent, doneEvent, startUpstream } from '../support/upstream.ts';
import { ask, asking, openStream, parseWire, signal, startStreaming } from './streaming.ts';

describe('max_stream_duration_ms', () => {
  it('ends a stream that has begun like one that was cut', async () => {
    const { app, upstream } = await startStreaming(
      (_call, res) => {
        openStream(res);
        res.write(chatEvent('first'));
        const timer = setInterval(() => res.write(chatEvent('more')), 10);
        res.on('close', () => clearInterval(timer));
      },
      { max_stream_duration_ms: 100 },
    );
    const answer = parseWire(await (await ask(app)).closed());
    expect(answer.isTerminated).toBe(false);
    expect(answer.body).toMatch(
      /\n\nevent: error\ndata: \{"error":\{[^\n]*"code":"upstream_stream_cut"\}\}\n\n$/,
    );
    expect(await app.ended(1)).toMatchObject([{ llm_outcome: 'cut' }]);
    expect(upstream.calls).toHaveLength(1);
  });

  it('answers 502 where nothing of the stream has been sent yet', async () => {
    const { app } = await startStreaming(
      (_call, res) => {
        openStream(res);
        const timer = setInterval(() => res.write(': still thinking\n\n'), 10);
        res.on('close', () => clearInterval(timer));
      },
      { max_stream_duration_ms: 100 },
    );
    const response = await post(`${app.url}/v1/chat/completions`, asking);
    expect([response.status, await response.json()]).toMatchObject([
      502,
      { error: { code: 'stream_too_long' } },
    ]);
  });

  it('says nothing of plain answers', async () => {
    const { app } = await startStreaming(
      (_call, res) => {
        res.writeHead(200, { 'content-type': 'application/json' });
        res.write('{');
        setTimeout(() => res.end('}'), 150);
      },
      { max_stream_duration_ms: 50 },
    );
    expect(await (await post(`${app.url}/v1/chat/completions`, asking)).text()).toBe('{}');
  });
});

describe('max_response_bytes', () => {
  it('ends a stream that has begun like one that was cut', async () => {
    let pourOut = (): void => {};
    const begun = new Promise<void>((resolve) => {
      pourOut = resolve;
    });
    const { app } = await startStreaming(
      async (_call, res) => {
        openStream(res);
        res.write(chatEvent('first'));
        await begun;
        for (let count = 0; count < 20; count++) res.write(chatEvent('more'));
        res.end(doneEvent);
      },
      { max_response_bytes: 1000 },
    );
    const client = await ask(app);
    await client.until('first');
    pourOut();
    const answer = parseWire(await client.closed());
    expect(answer.isTerminated).toBe(false);
    expect(answer.body).toMatch(
      /\n\nevent: error\ndata: \{"error":\{[^\n]*"code":"upstream_stream_cut"\}\}\n\n$/,
    );
    expect(answer.body).not.toContain('[DONE]');
    expect(await app.ended(1)).toMatchObject([{ llm_outcome: 'cut' }]);
  });

  it('destroys a plain answer that has begun', async () => {
    let pourOut = (): void => {};
    const begun = new Promise<void>((resolve) => {
      pourOut = resolve;
    });
    const { app } = await startStreaming(
      async (_call, res) => {
        res.writeHead(200, { 'content-type': 'application/json' });
        res.write(`{"a":"${'x'.repeat(100)}`);
        await begun;
        res.end(`${'y'.repeat(1000)}"}`);
      },
      { max_response_bytes: 1000 },
    );
    const client = await ask(app);
    await client.until('xxx');
    pourOut();
    const answer = parseWire(await client.closed());
    expect([answer.status, answer.isTerminated]).toEqual([200, false]);
    expect(await app.ended(1)).toMatchObject([{ llm_outcome: 'cut' }]);
  });

  it.each([
    { answer: 'plain', type: 'application/json' },
    { answer: 'stream', type: 'text/event-stream' },
  ])('answers 502 where the length told it beforehand: $answer', async ({ type }) => {
    const { app, upstream } = await startStreaming(
      (_call, res) => {
        res.writeHead(200, { 'content-type': type, 'content-length': '5000' });
        res.write('x');
      },
      { max_response_bytes: 1000, fallback_strategy: ['http_5xx'] },
    );
    const response = await post(`${app.url}/v1/chat/completions`, asking);
    expect([response.status, await response.json()]).toMatchObject([
      502,
      { error: { code: 'response_too_large' } },
    ]);
    expect(upstream.calls).toHaveLength(1);
  });

  it.each([429, 503])('leaves a %i that tells of too many bytes for the next instance', async (status) => {
    const failing = await startUpstream((_call, res) => {
      res.writeHead(status, { 'content-type': 'text/plain', 'content-length': '5000' });
      res.end('x'.repeat(5000));
    });
    const well = await startUpstream((_call, res) => answerJson(res, 200, { well: true }));
    const app = await startApp({
      instances: [instance('failing', failing.url, { priority: 1 }), instance('well', well.url)],
      max_response_bytes: 1000,
      fallback_strategy: ['http_429', 'http_5xx'],
    });
    const response = await post(`${app.url}/v1/chat/completions`, asking);
    expect([response.status, await response.json()]).toEqual([200, { well: true }]);
    expect((await app.ended(1))[0]?.llm_attempts).toMatchObject([{ status }, { status: 200 }]);
  });

  it('still holds for a failure that is the answer in the end', async () => {
    const { app } = await startStreaming(
      (_call, res) => {
        res.writeHead(503, { 'content-type': 'text/plain', 'content-length': '5000' });
        res.end('x'.repeat(5000));
      },
      { max_response_bytes: 1000, fallback_strategy: ['http_5xx'] },
    );
    const client = await ask(app);
    expect(parseWire(await client.until('\r\n\r\n')).status).toBeGreaterThanOrEqual(502);
    await app.ended(1);
    expect((client.received.match(/x/g) ?? []).length).toBeLessThan(1100);
  });

  it('answers 502 where the first bytes alone are too many', async () => {
    const { app } = await startStreaming((_call, res) => answerJson(res, 200, { a: 'x'.repeat(2000) }), {
      max_response_bytes: 1000,
    });
    expect((await post(`${app.url}/v1/chat/completions`, asking)).status).toBe(502);
  });

  it('lets an answer of exactly that size pass', async () => {
    const text = JSON.stringify({ a: 'x'.repeat(992) });
    const { app } = await startStreaming(
      (_call, res) => {
        res.writeHead(200, { 'content-type': 'application/json' });
        res.end(text);
      },
      { max_response_bytes: text.length },
    );
    expect(await (await post(`${app.url}/v1/chat/completions`, asking)).text()).toBe(text);
  });

  it('says nothing of the length that the answer to a HEAD only speaks of', async () => {
    const { app } = await startStreaming(
      (_call, res) => {
        res.writeHead(200, { 'content-type': 'application/json', 'content-length': '5000' });
        res.end();
      },
      { max_response_bytes: 1000 },
    );
    const response = await fetch(`${app.url}/v1/files/f`, { method: 'HEAD' });
    expect([response.status, response.headers.get('content-length')]).toEqual([200, '5000']);
  });
});

describe('a long stream', () => {
  it('is not cut by `timeout`, however much longer it is in all', async () => {
    const { app } = await startStreaming(
      (_call, res) => {
        openStream(res);
        let count = 0;
        const timer = setInterval(() => {
          res.write(chatEvent(`${count}`));
          if (++count < 100) return;
          clearInterval(timer);
          res.end(doneEvent);
        }, 25);
      },
      { timeout: 500 },
    );
    const text = await (await post(`${app.url}/v1/chat/completions`, asking)).text();
    expect(text.endsWith(doneEvent)).toBe(true);
    expect(await app.ended(1)).toMatchObject([{ llm_outcome: 'complete' }]);
  });

  it('is not cut by the host server’s own time-out', async () => {
    const resume = signal();
    const { app } = await startStreaming(async (_call, res) => {
      openStream(res);
      res.write(chatEvent('before'));
      await resume.happened;
      res.end(doneEvent);
    });
    app.server.setTimeout(300);
    const client = await ask(app);
    await client.until('before');
    // Longer than the host's time-out: nothing but this silence could tell that it does not count.
    setTimeout(() => resume.happen(), 900);
    expect(parseWire(await client.until('0\r\n\r\n')).body).toBe(chatEvent('before') + doneEvent);
  });
});
