// A stream that begins with an error under a 200 has failed; the client must not see it while another instance is left.

import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { cutEvery } from '../answer/replay.ts';
import { type App, instance, post, startApp } from '../support/app.ts';
import { chatEvent, doneEvent, type Script, startUpstream, type Upstream } from '../support/upstream.ts';
import { ask, asking, openStream, parseWire } from './streaming.ts';

const chat = { path: '/v1/chat/completions', provider: 'openai-compatible' } as const;
const messages = { path: '/v1/messages', provider: 'anthropic' } as const;
const responses = { path: '/v1/responses', provider: 'openai-compatible' } as const;

const overloaded =
  'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n';

const errors = [
  { title: 'Anthropic’s overload', ...messages, text: overloaded, status: 529 },
  {
    title: 'Anthropic’s rate limit',
    ...messages,
    text: 'event: error\ndata: {"type":"error","error":{"type":"rate_limit_error","message":"Slow"}}\n\n',
    status: 429,
  },
  {
    title: 'OpenAI’s server error',
    ...chat,
    text: 'data: {"error":{"message":"The server had an error","type":"server_error","param":null,"code":null}}\n\n',
    status: 500,
  },
  {
    title: 'OpenAI’s rate limit',
    ...chat,
    text: 'data: {"error":{"message":"Rate limit","type":"requests","code":"rate_limit_exceeded"}}\n\n',
    status: 429,
  },
  {
    title: 'OpenRouter’s numeric code, behind comments',
    ...chat,
    text: ': OPENROUTER PROCESSING\n\n: OPENROUTER PROCESSING\n\ndata: {"error":{"code":502,"message":"Bad"}}\n\n',
    status: 502,
  },
  {
    title: 'an error whose code is no status',
    ...chat,
    text: 'data: {"error":{"code":429.5,"message":"Bad"}}\n\n',
    status: 500,
  },
  { title: 'an error that is only text', ...chat, text: 'data: {"error":"boom"}\n\n', status: 500 },
  {
    title: 'the Responses API’s error',
    ...responses,
    text: 'event: error\ndata: {"type":"error","code":"server_error","message":"x","param":null,"sequence_number":0}\n\n',
    status: 500,
  },
  {
    title: 'a response that failed at once',
    ...responses,
    text: 'data: {"type":"response.failed","response":{"error":{"code":"rate_limit_exceeded","message":"x"}}}\n\n',
    status: 429,
  },
  {
    title: 'an error behind a byte-order mark',
    ...messages,
    text: `\ufeff${overloaded}`.replace('event: error\n', ''),
    status: 529,
  },
  {
    title: 'an error with CRLF line ends',
    ...messages,
    text: overloaded.replaceAll('\n', '\r\n'),
    status: 529,
  },
];

const good = chatEvent('good') + doneEvent;

/** Sends a stream in pieces of this many bytes, each on its own way through the network. */
function sendPieces(text: string, size: number): Script {
  return async (_call, res) => {
    openStream(res, { 'x-from': 'one' });
    res.flushHeaders();
    for (const piece of cutEvery(Buffer.from(text), size)) {
      res.write(piece);
      await new Promise((resolve) => setImmediate(resolve));
    }
    res.end();
  };
}

function sendGood(_call: unknown, res: ServerResponse): void {
  openStream(res, { 'x-from': 'two' });
  res.end(good);
}

interface Pair {
  readonly app: App;
  readonly first: Upstream;
  readonly second: Upstream;
}

async function startPair(
  script: Script,
  provider: 'anthropic' | 'openai-compatible' = 'openai-compatible',
  config: { readonly timeout?: number } = {},
): Promise<Pair> {
  const first = await startUpstream(script);
  const second = await startUpstream(sendGood);
  const app = await startApp({
    ...config,
    fallback_strategy: ['http_429', 'http_5xx'],
    instances: [
      instance('one', first.url, { provider, priority: 1 }),
      instance('two', second.url, { provider }),
    ],
  });
  return { app, first, second };
}

describe('an error in the first event', () => {
  it.each(errors)('moves the request on, with the status it stands for: $title', async (failure) => {
    const { app } = await startPair(sendPieces(failure.text, 10_000), failure.provider);
    const response = await post(app.url + failure.path, asking);
    expect([response.headers.get('x-from'), await response.text()]).toEqual(['two', good]);
    const [finish] = await app.ended(1);
    expect(finish?.llm_attempts).toMatchObject([
      { instance: 'one', status: failure.status },
      { instance: 'two', status: 200 },
    ]);
  });

  it.each(errors)('is seen in pieces too: $title', async (failure) => {
    const { app } = await startPair(sendPieces(failure.text, 3), failure.provider);
    const response = await post(app.url + failure.path, asking);
    expect(await response.text()).toBe(good);
  });

  it.each(errors)('passes as it was when nothing is left to try: $title', async (failure) => {
    const { app, second } = await startPair(sendPieces(failure.text, 7), failure.provider);
    app.middleware.update({
      fallback_strategy: ['http_429', 'http_5xx'],
      instances: [
        instance('one', (await startUpstream(sendPieces(failure.text, 7))).url, {
          provider: failure.provider,
        }),
      ],
    });
    const response = await post(app.url + failure.path, asking);
    // `text()` would drop a byte-order mark.
    const body = Buffer.from(await response.arrayBuffer()).toString();
    expect([response.status, response.headers.get('content-type'), body]).toEqual([
      200,
      'text/event-stream',
      failure.text,
    ]);
    expect(response.headers.get('x-should-retry')).toBe('false');
    expect(second.calls).toHaveLength(0);
  });

  it('passes as it was where nothing is configured to move on after', async () => {
    const bad = await startUpstream(sendPieces(overloaded, 10_000));
    const app = await startApp({
      instances: [
        instance('one', bad.url, { provider: 'anthropic', priority: 1 }),
        instance('two', bad.url, { provider: 'anthropic' }),
      ],
    });
    const response = await post(`${app.url}/v1/messages`, asking);
    expect(await response.text()).toBe(overloaded);
    expect(bad.calls).toHaveLength(1);
  });

  it('of a kind nobody moves on after passes as it was', async () => {
    const text = 'data: {"error":{"type":"invalid_request_error","message":"no"}}\n\n';
    const { app, second } = await startPair(sendPieces(text, 10_000));
    const response = await post(`${app.url}/v1/chat/completions`, asking);
    expect(await response.text()).toBe(text);
    expect(second.calls).toHaveLength(0);
    expect((await app.ended(1))[0]?.llm_attempts).toMatchObject([{ status: 400 }]);
  });

  it('is logged, and not sent', async () => {
    const { app } = await startPair(sendPieces(overloaded, 10_000), 'anthropic');
    await (await post(`${app.url}/v1/messages`, asking)).text();
    expect(app.logs.map(({ data }) => data)).toMatchObject([
      { instance: 'one', status: 529, body: expect.stringContaining('Overloaded') },
    ]);
  });
});

describe('a stream whose first event is no error', () => {
  it.each([
    ['an error that comes second', chatEvent('Hi') + overloaded],
    ['a message that speaks of errors', chatEvent('{"error":{"type":"overloaded_error"}}')],
    ['an error that is null', `data: ${JSON.stringify({ error: null, choices: [] })}\n\n`],
    ['something that is not JSON', 'data: error\n\n'],
    ['nothing', ''],
    ['comments alone', ': a\n\n: b\n\n'],
  ])('is committed to: %s', async (_, text) => {
    const { app, second } = await startPair(sendPieces(text, 10_000));
    const response = await post(`${app.url}/v1/chat/completions`, asking);
    expect([response.headers.get('x-from'), await response.text()]).toEqual(['one', text]);
    expect(second.calls).toHaveLength(0);
  });

  it('is held no longer than 64 KiB, and loses nothing', async () => {
    const long = `data: {"padding":"${'x'.repeat(100_000)}","error":{"type":"overloaded_error"}}\n\n`;
    const { app, second } = await startPair(sendPieces(long + good, 4096));
    const response = await post(`${app.url}/v1/chat/completions`, asking);
    expect(await response.text()).toBe(long + good);
    expect(second.calls).toHaveLength(0);
  });

  it('sends the client nothing while it may still turn out to be one', async () => {
    const { app, second } = await startPair((_call, res) => {
      openStream(res);
      res.write(overloaded.slice(0, -1), () => res.socket?.resetAndDestroy());
    });
    const response = await post(`${app.url}/v1/chat/completions`, asking);
    expect(await response.text()).toBe(good);
    expect(second.calls).toHaveLength(1);
  });
});

describe('a stream that is queued, and says so in comments alone', () => {
  const queued = ': PROCESSING\n\n';

  /** Sends comments, and after the call that is returned what is meant. */
  function startQueue(text: string): { script: Script; finish: () => void } {
    let finish = (): void => {};
    const script: Script = (_call, res) => {
      openStream(res, { 'x-from': 'one' });
      const timer = setInterval(() => res.write(queued), 20);
      res.on('close', () => clearInterval(timer));
      finish = () => {
        clearInterval(timer);
        res.end(text);
      };
    };
    return { script, finish: () => finish() };
  }

  /** Long enough for an instance of its own to be silent no longer than that on a busy machine. */
  const timeout = 1500;

  it.each([
    ['an answer', good],
    ['an error, which comes too late for the next instance', overloaded],
  ])('is held no longer than `timeout`, and then passed on up to %s', async (_what, text) => {
    const { script, finish } = startQueue(text);
    const { app, second } = await startPair(script, 'openai-compatible', { timeout });
    const client = await ask(app);
    await client.until(queued);
    finish();
    const answer = parseWire(await client.until('0\r\n\r\n'));
    expect([answer.status, answer.headers.get('x-from')]).toEqual([200, 'one']);
    expect(answer.body.endsWith(queued + text)).toBe(true);
    expect(answer.body.replaceAll(queued, '')).toBe(text);
    expect(second.calls).toHaveLength(0);
    const [finished] = await app.ended(1);
    expect(finished).toMatchObject({ llm_outcome: 'complete', llm_attempts: [{ status: 200 }] });
    expect(finished?.llm_time_to_first_token).toBeGreaterThan(timeout / 2);
  });

  it('is still left for the next instance where an error comes in time', async () => {
    const { script, finish } = startQueue(overloaded);
    const first: Script = (call, res, req) => {
      void script(call, res, req);
      setTimeout(finish, 100);
    };
    const { app } = await startPair(first, 'openai-compatible', { timeout: 20_000 });
    const response = await post(`${app.url}/v1/chat/completions`, asking);
    expect([response.headers.get('x-from'), await response.text()]).toEqual(['two', good]);
  });

  it('is left for the next instance once it falls silent', async () => {
    const { app, second } = await startPair(
      (_call, res) => {
        openStream(res);
        res.write(queued);
      },
      'openai-compatible',
      { timeout },
    );
    const response = await post(`${app.url}/v1/chat/completions`, asking);
    expect([response.headers.get('x-from'), await response.text()]).toEqual(['two', good]);
    expect(second.calls).toHaveLength(1);
  });
});
