import { describe, expect, it } from 'vitest';
import { ask, asking, parseWire, startStreaming } from '../streams/streaming.ts';
import { instance, post, startApp } from '../support/app.ts';
import { startRawUpstream } from '../support/broken-upstreams.ts';
import { heapUsed } from '../support/heap.ts';
import { connectRaw, rawPost } from '../support/raw.ts';
import { answerJson, chatAnswer } from '../support/upstream.ts';

const MEGABYTE = 1024 * 1024;

describe('an answer’s status', () => {
  it.each([
    200, 201, 202, 203, 206, 300, 301, 307, 400, 401, 402, 403, 404, 409, 413, 422, 429, 451, 500, 503, 529,
    599,
  ])('passes with its body: %i', async (status) => {
    const { app } = await startStreaming((_call, res) =>
      answerJson(res, status, { status, 世界: '👋' }, { location: 'http://nowhere.test/' }),
    );
    const response = await post(`${app.url}/v1/chat/completions`, asking, { redirect: 'manual' });
    expect([response.status, await response.json()]).toEqual([status, { status, 世界: '👋' }]);
  });

  it.each([204, 205, 304])('passes without a body: %i', async (status) => {
    const { app } = await startStreaming((_call, res) => {
      res.writeHead(status, { etag: '"e"' });
      res.end();
    });
    const response = await post(`${app.url}/v1/chat/completions`, asking);
    expect([response.status, response.headers.get('etag'), await response.text()]).toEqual([
      status,
      '"e"',
      '',
    ]);
    expect(await app.ended(1)).toMatchObject([{ llm_outcome: 'complete' }]);
  });

  it.each(['050', '099', '000'])(
    'that no HTTP client could take is answered with 502: %s',
    async (status) => {
      const upstream = await startRawUpstream((socket) =>
        socket.write(
          `HTTP/1.1 ${status} What\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}`,
        ),
      );
      const app = await startApp({ timeout: 1000, instances: [instance('one', upstream.url)] });
      const response = await post(`${app.url}/v1/chat/completions`, asking);
      expect([response.status, await response.json()]).toMatchObject([
        502,
        { error: { code: 'upstream_invalid_answer' } },
      ]);
      await upstream.deserted();
    },
  );
});

describe('a request without a body', () => {
  it('by HEAD gets the headers alone, the length among them', async () => {
    const { app } = await startStreaming(({ method }, res) => {
      res.writeHead(200, {
        'content-type': 'application/json',
        'content-length': '1234',
        'x-method': method,
      });
      res.end();
    });
    const response = await fetch(`${app.url}/v1/models`, { method: 'HEAD' });
    expect([
      response.status,
      response.headers.get('content-length'),
      response.headers.get('x-method'),
    ]).toEqual([200, '1234', 'HEAD']);
  });

  it('by GET gets the answer', async () => {
    const { app } = await startStreaming(({ url }, res) => answerJson(res, 200, { url }));
    expect(await (await fetch(`${app.url}/v1/models?x=1`)).json()).toEqual({ url: '/v1/models?x=1' });
  });
});

describe('an HTTP/1.0 client', () => {
  it('gets a plain answer whole', async () => {
    const { app } = await startStreaming((_call, res) => answerJson(res, 200, chatAnswer('m')));
    const client = await connectRaw(app.port);
    client.write(rawPost('/v1/chat/completions', JSON.stringify(asking)).replace('HTTP/1.1', 'HTTP/1.0'));
    const answer = parseWire(await client.closed());
    expect(JSON.parse(answer.body)).toEqual(chatAnswer('m'));
  });
});

describe('a plain answer', () => {
  it('passes byte for byte, and is counted', async () => {
    const text = `  ${JSON.stringify(chatAnswer('m', 'héllo 世界 \\u0000'), null, 3)}\r\n\r\n`;
    const { app } = await startStreaming((_call, res) => {
      res.writeHead(200, { 'content-type': 'application/json; charset=utf-8' });
      res.end(text);
    });
    expect(await (await post(`${app.url}/v1/chat/completions`, { messages: [] })).text()).toBe(text);
    expect(await app.ended(1)).toMatchObject([
      { llm_total_tokens: 31, request_type: 'ai_chat', llm_stream: false },
    ]);
  });

  it('to a request for a stream passes as it is, and is counted', async () => {
    const { app } = await startStreaming((_call, res) => answerJson(res, 200, chatAnswer('m')));
    const response = await post(`${app.url}/v1/chat/completions`, { messages: [], stream: true });
    expect([response.headers.get('content-type'), await response.json()]).toEqual([
      'application/json',
      chatAnswer('m'),
    ]);
    expect(await app.ended(1)).toMatchObject([{ llm_total_tokens: 31, request_type: 'ai_stream' }]);
  });

  it.each(['text/plain', 'text/html', 'application/octet-stream', undefined])(
    'that is no JSON passes as it is: %s',
    async (type) => {
      const { app } = await startStreaming((_call, res) => {
        res.writeHead(200, type === undefined ? {} : { 'content-type': type });
        res.end('usage: "usage": {"total_tokens": 5}');
      });
      const response = await post(`${app.url}/v1/chat/completions`, asking);
      expect([response.headers.get('content-type') ?? undefined, await response.text()]).toEqual([
        type,
        'usage: "usage": {"total_tokens": 5}',
      ]);
    },
  );

  it('of nothing at all passes', async () => {
    const { app } = await startStreaming((_call, res) => res.end());
    const response = await post(`${app.url}/v1/chat/completions`, asking);
    expect([response.status, await response.text()]).toEqual([200, '']);
  });

  it('is written as it arrives, not when it is whole', async () => {
    let finish = (): void => {};
    const { app } = await startStreaming((_call, res) => {
      res.writeHead(200, { 'content-type': 'application/json' });
      res.write('{"first":1,');
      finish = () => res.end('"last":2}');
    });
    const client = await ask(app);
    await client.until('first');
    finish();
    expect(parseWire(await client.until('0\r\n\r\n')).body).toBe('{"first":1,"last":2}');
  });

  it('of sixty megabytes passes whole in bounded memory, and its usage is read', async () => {
    const vector = Buffer.from(`[${'0.1234567,'.repeat(100_000)}0],`);
    const { app } = await startStreaming(async (_call, res) => {
      res.writeHead(200, { 'content-type': 'application/json' });
      res.write('{"object":"list","data":[');
      for (let sent = 0; sent < 60 * MEGABYTE; sent += vector.length) {
        if (!res.write(vector)) await new Promise<void>((resolve) => res.once('drain', () => resolve()));
      }
      res.end('[]],"model":"m","usage":{"prompt_tokens":9,"total_tokens":9}}');
    });
    const response = await post(`${app.url}/v1/embeddings`, { input: 'Hi' });
    const before = await heapUsed();
    let peak = 0;
    let bytes = 0;
    for await (const chunk of response.body ?? []) {
      if (bytes % (20 * MEGABYTE) > (bytes + chunk.length) % (20 * MEGABYTE)) {
        peak = Math.max(peak, (await heapUsed()) - before);
      }
      bytes += chunk.length;
    }
    expect(bytes).toBeGreaterThan(60 * MEGABYTE);
    expect(peak).toBeLessThan(30 * MEGABYTE);
    expect(await app.ended(1)).toMatchObject([{ llm_prompt_tokens: 9, llm_total_tokens: 9 }]);
  });
});
