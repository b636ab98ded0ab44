// Half an answer must never be taken for a whole one: the client hears of it in its own protocol, and then loses the
// connection without the chunk that would have completed the body.

import type { ServerResponse } from 'node:http';
import compression from 'compression';
import { describe, expect, it } from 'vitest';
import { type App, instance, post, startApp } from '../support/app.ts';
import { chatEvent, doneEvent, startUpstream, type Upstream } from '../support/upstream.ts';
import {
  ask,
  asking,
  notAsking,
  openStream,
  parseWire,
  signal,
  startStreaming,
  streamingProtocols,
} from './streaming.ts';

const silence = (): void => {};

const deaths = {
  'closes the connection': (res: ServerResponse) => res.socket?.end(),
  'destroys the connection': (res: ServerResponse) => res.socket?.destroy(),
  'resets the connection': (res: ServerResponse) => res.socket?.resetAndDestroy(),
  'falls silent for longer than `timeout`': silence,
} satisfies Record<string, (res: ServerResponse) => unknown>;

const cases = streamingProtocols.flatMap((protocol) =>
  Object.entries(deaths).map(([death, die]) => ({ ...protocol, death, die })),
);

interface Pair {
  readonly app: App;
  readonly second: Upstream;
}

/** A first instance that dies behind these bytes, and a second one that must never be asked. */
async function startDying(
  bytes: string,
  die: (res: ServerResponse) => unknown,
  provider: 'anthropic' | 'openai-compatible' = 'openai-compatible',
): Promise<Pair> {
  const first = await startUpstream((_call, res) => {
    openStream(res);
    res.write(bytes, () => die(res));
  });
  const second = await startUpstream((_call, res) => res.end(doneEvent));
  const app = await startApp({
    // A loaded machine must not take longer than this for the first event.
    timeout: die === silence ? 600 : 20_000,
    fallback_strategy: ['http_429', 'http_5xx'],
    fallback_http_statuses: [502, 504],
    instances: [
      instance('one', first.url, { provider, priority: 1 }),
      instance('two', second.url, { provider }),
    ],
  });
  return { app, second };
}

/** The error event of each protocol, parsed. */
function errorEventOf(protocol: string, code: string): { event: string | undefined; data: unknown } {
  const message = expect.stringMatching(/./);
  if (protocol === 'anthropic-messages') {
    const type = expect.stringMatching(/^(api|timeout)_error$/);
    return { event: 'error', data: { type: 'error', error: { type, message, code } } };
  }
  if (protocol === 'openai-responses') {
    return { event: 'error', data: { type: 'error', code, message, param: null, sequence_number: 0 } };
  }
  return { event: 'error', data: { error: { message, type: 'server_error', param: null, code } } };
}

/** Reads one event as an SSE client does. */
function parseEvent(text: string): { event: string | undefined; data: unknown } {
  expect(text.endsWith('\n\n')).toBe(true);
  const data: unknown = JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? '');
  return { event: /^event: (.*)$/m.exec(text)?.[1], data };
}

describe.each(cases)('an upstream that $death in mid-stream, for $protocol', (death) => {
  it('ends with one error event and without the closing chunk, and no other instance is asked', async () => {
    const { app, second } = await startDying(death.event, death.die, death.provider);
    const client = await ask(app, asking, death.path);
    const answer = parseWire(await client.closed());
    expect([answer.status, answer.isTerminated]).toEqual([200, false]);
    expect(answer.body.startsWith(death.event)).toBe(true);
    const last = answer.body.slice(death.event.length);
    expect(parseEvent(last)).toEqual(errorEventOf(death.protocol, 'upstream_stream_cut'));
    expect(second.calls).toHaveLength(0);
    expect(await app.ended(1)).toMatchObject([{ llm_outcome: 'cut', llm_instance: 'one' }]);
  });
});

describe('an event that is cut off in its middle', () => {
  const half = 'data: {"choices":[{"del';

  it('is followed by a boundary, so that the error event is an event of its own', async () => {
    const { app } = await startDying(chatEvent('Hi') + half, deaths['closes the connection']);
    const answer = parseWire(await (await ask(app)).closed());
    const begun = `${chatEvent('Hi')}${half}\n\n`;
    expect(answer.body.startsWith(begun)).toBe(true);
    expect(parseEvent(answer.body.slice(begun.length))).toEqual(errorEventOf('chat', 'upstream_stream_cut'));
  });

  it('is not sent at all to a client from whom usage is withheld', async () => {
    const { app } = await startDying(chatEvent('Hi') + half, deaths['closes the connection']);
    const answer = parseWire(await (await ask(app, notAsking)).closed());
    expect(parseEvent(answer.body.slice(chatEvent('Hi').length))).toEqual(
      errorEventOf('chat', 'upstream_stream_cut'),
    );
  });

  it('needs no boundary where a CR ended the last one', async () => {
    const event = chatEvent('Hi').replaceAll('\n', '\r');
    const { app } = await startDying(event, deaths['closes the connection']);
    const answer = parseWire(await (await ask(app)).closed());
    expect(answer.body.slice(event.length)).toMatch(/^event: error\ndata: \{"error"/);
  });
});

describe('a stream that is cut', () => {
  it('fails in fetch as well', async () => {
    const { app } = await startDying(chatEvent('Hi'), deaths['resets the connection']);
    const response = await post(`${app.url}/v1/chat/completions`, asking);
    await expect(response.text()).rejects.toThrow();
  });

  it('still counts the usage that was reported before', async () => {
    const usage = { prompt_tokens: 7, completion_tokens: 1, total_tokens: 8 };
    const { app } = await startDying(chatEvent('Hi', { usage }), deaths['resets the connection']);
    await (await ask(app)).closed();
    expect(await app.ended(1)).toMatchObject([{ llm_outcome: 'cut', llm_total_tokens: 8 }]);
  });

  it('never tells the client what Node or the upstream said', async () => {
    const { app } = await startDying(chatEvent('Hi'), deaths['resets the connection']);
    const answer = parseWire(await (await ask(app)).closed());
    expect(answer.body).not.toMatch(/ECONNRESET|aborted|socket hang up|127\.0\.0\.1/);
  });

  it('ends in the same way through compression middleware that compresses nothing of it', async () => {
    const { app } = await startStreaming(
      (_call, res) => {
        openStream(res);
        res.write(chatEvent('Hi'), () => res.socket?.destroy());
      },
      {},
      { before: (server) => server.use(compression()) },
    );
    const client = await ask(app, asking, '/v1/chat/completions', ['Accept-Encoding: gzip']);
    const answer = parseWire(await client.closed());
    expect([answer.body.includes('upstream_stream_cut'), answer.isTerminated]).toEqual([true, false]);
  });

  it('still tells the client through compression middleware that does compress it', async () => {
    const seen = signal();
    const { app } = await startStreaming(
      async (_call, res) => {
        openStream(res, { 'cache-control': 'no-cache' });
        res.write(chatEvent('Hi'));
        await seen.happened;
        res.socket?.destroy();
      },
      {},
      { before: (server) => server.use(compression({ threshold: 0 })) },
    );
    const response = await post(`${app.url}/v1/chat/completions`, asking, {
      headers: { 'accept-encoding': 'gzip' },
    });
    expect(response.headers.get('content-encoding')).toBe('gzip');
    let text = '';
    const decoder = new TextDecoder();
    const read = async (): Promise<void> => {
      for await (const chunk of response.body ?? []) {
        text += decoder.decode(chunk, { stream: true });
        seen.happen();
      }
    };
    await expect(read()).rejects.toThrow();
    expect(text).toContain('upstream_stream_cut');
  });

  it('closes its socket to the LLM, and leaves no request in flight', async () => {
    const { app } = await startDying(chatEvent('Hi'), deaths['falls silent for longer than `timeout`']);
    await (await ask(app)).closed();
    expect(app.middleware.status()).toMatchObject({ in_flight: 0, instances: [{ in_flight: 0 }, {}] });
  });

  it('is not taken for a whole one where the upstream said how long it would be', async () => {
    const { app } = await startStreaming((_call, res) => {
      const [event, rest] = [chatEvent('Hi'), 20];
      openStream(res, { 'content-length': String(event.length + rest) });
      res.write(event, () => res.socket?.destroy());
    });
    const client = await ask(app);
    const answer = parseWire(await client.closed());
    expect(answer.headers.get('content-length')).toBeUndefined();
    expect(answer.body).toMatch(/"code":"upstream_stream_cut"\}\}\n\n$/);
    expect(answer.isTerminated).toBe(false);
    await expect((await post(`${app.url}/v1/chat/completions`, asking)).text()).rejects.toThrow();
  });

  it('is destroyed without an event where its bytes are encoded', async () => {
    const { app } = await startStreaming((_call, res) => {
      openStream(res, { 'content-encoding': 'gzip' });
      res.write('half a gzip stream', () => res.socket?.destroy());
    });
    const answer = parseWire(await (await ask(app)).closed());
    expect([answer.body, answer.isTerminated]).toEqual(['half a gzip stream', false]);
  });
});

describe('a plain answer that breaks off in mid-body', () => {
  it.each([
    { framing: 'with its length', headers: { 'content-length': '1000' } },
    { framing: 'in chunks', headers: {} },
  ])('destroys the connection: $framing', async ({ headers }) => {
    const { app } = await startStreaming((_call, res) => {
      res.writeHead(200, { 'content-type': 'application/json', ...headers });
      res.write('{"choices":', () => res.socket?.destroy());
    });
    const answer = parseWire(await (await ask(app)).closed());
    expect([answer.status, answer.body, answer.isTerminated]).toEqual([200, '{"choices":', false]);
    expect(await app.ended(1)).toMatchObject([{ llm_outcome: 'cut' }]);
  });
});
