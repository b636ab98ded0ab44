import type { ServerResponse } from 'node:http';
import zlib from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { startRawUpstream } from '../support/broken-upstreams.ts';
import {
  answerJson,
  chatEvent,
  doneEvent,
  echoModel,
  type Script,
  startUpstream,
} from '../support/upstream.ts';
import {
  alias,
  at,
  failWith,
  messages,
  type Routing,
  servedBy,
  startRouter,
  streamOf,
  type TargetConfig,
  target,
} from './router-app.ts';

type Model = Partial<TargetConfig['model']>;

function hang(_call: unknown, res: ServerResponse): void {
  res.on('close', () => {});
}

const errorEvent = (error: object): string => `data: ${JSON.stringify({ error })}\n\n`;

/** A first target that fails so, and a second one that is well. */
async function startPair(script: Script, routing: Partial<Routing> = {}, model: Model = {}) {
  const [first, second] = [await startUpstream(script), await startUpstream(echoModel())];
  const app = await startRouter({
    targets: [target('first', first, model), target('second', second)],
    aliases: [alias('chat', ['first', 'second'], routing)],
  });
  return { app, first, second };
}

const movesOn: readonly [string, Script, Partial<Routing>, object][] = [
  ['a 500', failWith(500), {}, {}],
  ['a 501', failWith(501), {}, {}],
  ['a 502', failWith(502), {}, {}],
  ['a 503', failWith(503), {}, {}],
  ['a 529', failWith(529), {}, {}],
  ['a 429 with retry_on_429', failWith(429), { retry_on_429: true }, {}],
  ['a 404 in fallback_on_statuses', failWith(404), { fallback_on_statuses: [404] }, {}],
  ['a 429 in fallback_on_statuses', failWith(429), { fallback_on_statuses: [429] }, {}],
  ['a time-out', hang, {}, {}],
  ['a reset', (_call, res) => res.socket?.resetAndDestroy(), {}, {}],
  [
    'a body that is no JSON',
    (_call, res) => {
      res.writeHead(200, { 'content-type': 'application/json' });
      res.end('<html>');
    },
    {},
    {},
  ],
  [
    'a page that says 200',
    (_call, res) => {
      res.writeHead(200, { 'content-type': 'text/html' });
      res.end('<html>');
    },
    {},
    {},
  ],
  ['a 204, which says nothing', (_call, res) => res.writeHead(204).end(), {}, {}],
  [
    'an error that says 200',
    (_call, res) => answerJson(res, 200, { error: { message: 'upstream words', code: 502 } }),
    {},
    {},
  ],
  [
    "an error of vLLM's that says 200",
    (_call, res) => answerJson(res, 200, { object: 'error', message: 'upstream words', code: 503 }),
    {},
    {},
  ],
  [
    'an error in place of a stream, that says 200',
    (_call, res) => answerJson(res, 200, { error: { message: 'upstream words', code: 502 } }),
    {},
    { stream: true },
  ],
  [
    "a stream that begins with an error of vLLM's",
    streamOf('data: {"object":"error","message":"upstream words","code":503}\n\n'),
    {},
    { stream: true },
  ],
  [
    'half a body',
    (_call, res) => {
      res.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' });
      res.write('{"id":', () => res.socket?.resetAndDestroy());
    },
    {},
    {},
  ],
  ['a 503 for a stream', failWith(503), {}, { stream: true }],
  ['a time-out for a stream', hang, {}, { stream: true }],
  [
    'a stream that says nothing',
    (_call, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.flushHeaders();
    },
    {},
    { stream: true },
  ],
  [
    'a stream that begins with an error of its server',
    streamOf(errorEvent({ type: 'overloaded_error' })),
    {},
    { stream: true },
  ],
  [
    'a stream that begins with an unknown error',
    streamOf(errorEvent({ message: 'hm' })),
    {},
    { stream: true },
  ],
  ['a stream that ends before its first event', streamOf(), {}, { stream: true }],
  ['a stream of comments alone', streamOf(': waiting\n\n'), {}, { stream: true }],
  [
    'a stream that is an error, and breaks off there',
    streamOf(errorEvent({ type: 'server_error' }).trimEnd()),
    {},
    { stream: true },
  ],
  [
    'a stream that begins with a 429, with retry_on_429',
    streamOf(errorEvent({ code: 'rate_limit_exceeded' })),
    { retry_on_429: true },
    { stream: true },
  ],
];

describe('a request moves on to the next target after', () => {
  it.each(movesOn)('%s', async (_what, script, routing, more) => {
    const { app, first } = await startPair(script, routing, { timeout: 600 });
    const answer = await app.ask('chat', more);
    expect(answer.status).toBe(200);
    expect(servedBy(answer)).toBe('second');
    expect(answer.text).not.toContain('upstream words');
    expect(first.calls).toHaveLength(1);
  });

  it('a connection that is refused', async () => {
    const { app, first } = await startPair(echoModel());
    await first.close();
    expect(servedBy(await app.ask('chat'))).toBe('second');
  });

  it('something that is not HTTP', async () => {
    const first = await startRawUpstream((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'));
    const second = await startUpstream(echoModel());
    const app = await startRouter({
      targets: [target('first', first), target('second', second)],
      aliases: [alias('chat', ['first', 'second'])],
    });
    expect(servedBy(await app.ask('chat'))).toBe('second');
  });
});

const staysHere: readonly [string, Script, Partial<Routing>, object, number][] = [
  ...[400, 401, 403, 404, 408, 409, 413, 422].map((status): (typeof staysHere)[number] => [
    `a ${status}`,
    failWith(status),
    {},
    {},
    status,
  ]),
  ['a 429', failWith(429), {}, {}, 429],
  ['a 404 with retry_on_429', failWith(404), { retry_on_429: true }, {}, 404],
  ['a 400 for a stream', failWith(400), {}, { stream: true }, 400],
  [
    'a stream that begins with a 400',
    streamOf(errorEvent({ type: 'invalid_request_error' })),
    {},
    { stream: true },
    400,
  ],
  ['a stream that begins with a 429', streamOf(errorEvent({ code: 429 })), {}, { stream: true }, 429],
];

describe('a request ends, and asks no other target, with', () => {
  it.each(staysHere)('%s', async (_what, script, routing, more, status) => {
    const { app, first, second } = await startPair(script, { retries: 2, ...routing });
    const answer = await app.ask('chat', more);
    expect(answer.status).toBe(status);
    expect(at(answer.json, 'error', 'type')).toBe('upstream_error');
    expect(first.calls).toHaveLength(1);
    expect(second.calls).toEqual([]);
  });
});

/** One target that fails so, and nothing else. */
async function askOne(script: Script, more: object = {}, model: Model = {}) {
  const upstream = await startUpstream(script);
  const app = await startRouter({ targets: [target('one', upstream, { timeout: 600, ...model })] });
  return { app, upstream, answer: await app.ask('one', more) };
}

describe('a caller sees', () => {
  it.each([500, 502, 503, 504, 529])(
    "for a server's %i a 502 with that number, and nothing else of it",
    async (status) => {
      const { answer } = await askOne(failWith(status, { 'retry-after': '7', 'x-internal': 'secret' }));
      expect(answer.status).toBe(502);
      expect(at(answer.json, 'error')).toMatchObject({ type: 'upstream_error', code: 'upstream_error' });
      expect(at(answer.json, 'error', 'message')).toContain(String(status));
      expect(answer.text).not.toContain('upstream words');
      expect(answer.text).not.toContain('some_code');
      expect(answer.headers.get('x-internal')).toBeNull();
      expect(answer.headers.get('retry-after')).toBeNull();
    },
  );

  it.each([400, 404, 409, 422])(
    "for a client's %i the upstream's message and code, in our envelope",
    async (status) => {
      const { answer } = await askOne(failWith(status, { 'retry-after': '7', 'x-internal': 'secret' }));
      expect(answer.status).toBe(status);
      expect(at(answer.json, 'error')).toMatchObject({
        message: 'upstream words',
        type: 'upstream_error',
        code: 'some_code',
      });
      expect(answer.headers.get('x-internal')).toBeNull();
      expect(answer.headers.get('retry-after')).toBeNull();
      expect(answer.headers.get('content-type')).toBe('application/json');
    },
  );

  it("a code that is taken from the upstream's type where it has none", async () => {
    const { answer } = await askOne((_call, res) =>
      answerJson(res, 404, { type: 'error', error: { type: 'not_found_error', message: 'no such model' } }),
    );
    expect(at(answer.json, 'error')).toMatchObject({ message: 'no such model', code: 'not_found_error' });
  });

  it.each<[wrote: string, body: unknown, seen: object]>([
    ['Ollama', { error: 'no such model' }, { message: 'no such model', code: 'upstream_error' }],
    [
      'Gemini',
      [{ error: { code: 404, message: 'no such model', status: 'NOT_FOUND' } }],
      { message: 'no such model', code: '404' },
    ],
  ])("what the upstream said where it writes as %s's does", async (_vendor, body, seen) => {
    const { answer } = await askOne((_call, res) => {
      res.writeHead(404, { 'content-type': 'application/json' });
      res.end(JSON.stringify(body));
    });
    expect(answer.status).toBe(404);
    expect(at(answer.json, 'error')).toMatchObject(seen);
  });

  it.each(['<html>', '', '{"error":"plain"}', '[1]', 'null'])(
    'a 400 whose body is %j, without it',
    async (body) => {
      const { answer } = await askOne((_call, res) => {
        res.writeHead(400, { 'content-type': 'text/html' });
        res.end(body);
      });
      expect(answer.status).toBe(400);
      expect(at(answer.json, 'error', 'type')).toBe('upstream_error');
      expect(at(answer.json, 'error', 'code')).toBe('upstream_error');
    },
  );

  it("never the provider key, not even in the upstream's message", async () => {
    const { answer } = await askOne(
      failWith(401, {}, { message: 'Incorrect API key: sk-one', code: 'sk-one' }),
    );
    expect(answer.status).toBe(401);
    expect(answer.text).not.toContain('sk-one');
  });

  it.each([
    ['12', '12'],
    ['0.2', '1'],
  ])("an upstream's 429 with its retry-after: %s", async (sent, seen) => {
    const { answer } = await askOne(failWith(429, { 'retry-after': sent }));
    expect(answer.status).toBe(429);
    expect(answer.headers.get('retry-after')).toBe(seen);
  });

  it("an upstream's 429 without a retry-after where there is none", async () => {
    const { answer } = await askOne(failWith(429));
    expect(answer.headers.get('retry-after')).toBeNull();
  });

  it.each([{}, { stream: true }])('a time-out as a 504 without the name of a host (%j)', async (more) => {
    const { answer, upstream } = await askOne(hang, more);
    expect(answer.status).toBe(504);
    expect(at(answer.json, 'error')).toMatchObject({ type: 'timeout', code: 'timeout' });
    expect(answer.text).not.toContain(String(upstream.port));
    expect(answer.text).not.toContain('127.0.0.1');
  });

  it('a broken connection as a 502 transport_error', async () => {
    const { answer, upstream } = await askOne((_call, res) => res.socket?.resetAndDestroy());
    expect(answer.status).toBe(502);
    expect(at(answer.json, 'error')).toMatchObject({ type: 'transport_error', code: 'transport_error' });
    expect(answer.text).not.toContain(String(upstream.port));
  });

  it('a name that does not resolve as a 502 transport_error', async () => {
    const app = await startRouter({
      targets: [target('one', { url: `http://${'a'.repeat(64)}.test` })],
    });
    const answer = await app.ask('one');
    expect(answer.status).toBe(502);
    expect(at(answer.json, 'error', 'code')).toBe('transport_error');
    expect(answer.text).not.toContain('aaaa');
  });

  it.each(['<html>', '', '[]', '"text"', '{"half":'])(
    'a 200 with %j as a 502 upstream_decode_error',
    async (body) => {
      const { answer } = await askOne((_call, res) => {
        res.writeHead(200, { 'content-type': 'application/json' });
        res.end(body);
      });
      expect(answer.status).toBe(502);
      expect(at(answer.json, 'error')).toMatchObject({
        type: 'upstream_decode_error',
        code: 'upstream_decode_error',
      });
    },
  );

  it.each([
    [{ type: 'invalid_request_error', message: 'too long' }, 400],
    [{ code: 404, message: 'gone' }, 404],
    [{ code: 'rate_limit_exceeded' }, 429],
    [{ type: 'server_error', message: 'internal words' }, 502],
    [{ message: 'internal words' }, 502],
  ])('a stream that begins with %j as a %i', async (error, status) => {
    const { answer } = await askOne(streamOf(errorEvent(error), chatEvent('never'), doneEvent), {
      stream: true,
    });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(at(answer.json, 'error', 'type')).toBe('upstream_error');
    expect(answer.text).not.toContain('internal words');
    expect(answer.text).not.toContain('never');
  });

  it("a stream that begins with a client's error with what the upstream said", async () => {
    const error = { type: 'invalid_request_error', message: 'too long', code: 'context_length_exceeded' };
    const { answer } = await askOne(streamOf(errorEvent(error)), { stream: true });
    expect(at(answer.json, 'error')).toMatchObject({ message: 'too long', code: 'context_length_exceeded' });
  });

  it('a stream without any event as a 502 upstream_decode_error', async () => {
    const { answer } = await askOne(streamOf(), { stream: true });
    expect(answer.status).toBe(502);
    expect(at(answer.json, 'error', 'code')).toBe('upstream_decode_error');
  });

  it('a stream of one event without its end as it is', async () => {
    const { answer } = await askOne(streamOf(chatEvent('all').trimEnd()), { stream: true });
    expect(answer.text).toBe(chatEvent('all', { model: 'one' }).trimEnd());
  });

  it('the last failure where all targets fail, and that its SDK need not try again', async () => {
    const [first, second] = [await startUpstream(failWith(500)), await startUpstream(hang)];
    const app = await startRouter({
      targets: [target('first', first), target('second', second, { timeout: 600 })],
      aliases: [alias('chat', ['first', 'second'])],
    });
    const answer = await app.ask('chat');
    expect(answer.status).toBe(504);
    expect(answer.headers.get('x-should-retry')).toBe('false');
    expect(first.calls).toHaveLength(1);
    expect(second.calls).toHaveLength(1);
  });

  it.each([
    [400, 'invalid_request_error'],
    [401, 'authentication_error'],
    [402, 'api_error'],
    [403, 'permission_error'],
    [404, 'not_found_error'],
    [409, 'api_error'],
    [413, 'request_too_large'],
    [422, 'invalid_request_error'],
    [429, 'rate_limit_error'],
    [500, 'api_error'],
    [529, 'api_error'],
  ])("an Anthropic upstream's %i in the shape of its own errors", async (status, type) => {
    const upstream = await startUpstream((_call, res) =>
      answerJson(res, status, { type: 'error', error: { type: 'some_type', message: 'upstream words' } }),
    );
    const app = await startRouter({
      targets: [target('one', upstream, { provider: 'anthropic' }, { api_base: upstream.url })],
    });
    const answer = await app.post('/v1/messages', { model: 'one', max_tokens: 1, messages });
    expect(answer.status).toBe(status < 500 ? status : 502);
    expect(answer.json).toMatchObject({ type: 'error', error: { type } });
    if (status < 500) expect(at(answer.json, 'error', 'message')).toBe('upstream words');
    else expect(answer.text).not.toContain('upstream words');
  });
});

describe('an answer under 200 that', () => {
  it.each([
    ['has an error that is null', { error: null, choices: [] }],
    ['has an error that is empty', { error: '', choices: [] }],
    ["is a response of OpenAI's that has failed", { object: 'response', error: { code: 'server_error' } }],
  ])('%s is an answer', async (_what, answer) => {
    const { app } = await startPair((_call, res) => answerJson(res, 200, answer));
    expect(servedBy(await app.ask('chat'))).toBe('first');
  });

  it('is an error of the client is told to it', async () => {
    const { app, second } = await startPair((_call, res) =>
      answerJson(res, 200, { error: { message: 'too long', code: 'context_length_exceeded' } }),
    );
    const answer = await app.ask('chat');
    expect([answer.status, at(answer.json, 'error', 'message')]).toEqual([400, 'too long']);
    expect(second.calls).toEqual([]);
  });
});

describe('a redirect', () => {
  it('is passed on, is no success to anybody, and lifts no cooldown', async () => {
    let status = 503;
    const { app } = await startPair((_call, res) => {
      res.writeHead(status, { location: 'https://elsewhere.test/' }).end();
    });
    await app.ask('chat');
    expect(app.state('first')).toMatchObject({ status: 'cooldown' });
    status = 302;
    const response = await app.send('first', {}, { redirect: 'manual' });
    expect(response.status).toBe(302);
    expect(response.headers.get('x-aisix-call-id')).toBeNull();
    expect(app.state('first')).toMatchObject({ status: 'cooldown' });
  });
});

describe('an error that its upstream has encoded', () => {
  it('is told in its words all the same', async () => {
    const said = JSON.stringify({ error: { message: 'max_tokens too large', code: 'bad_max' } });
    const { app } = await startPair((_call, res) => {
      res.writeHead(400, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
      res.end(zlib.gzipSync(said));
    });
    expect((await app.ask('chat')).json).toMatchObject({
      error: { message: 'max_tokens too large', code: 'bad_max' },
    });
  });

  it('is in the log as text', async () => {
    const { app } = await startPair((_call, res) => {
      res.writeHead(503, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
      res.end(zlib.gzipSync('{"error":{"message":"no room"}}'));
    });
    await app.ask('chat');
    expect(app.logs).toContainEqual(
      expect.objectContaining({ data: expect.objectContaining({ body: '{"error":{"message":"no room"}}' }) }),
    );
  });
});
