import type http from 'node:http';
import zlib from 'node:zlib';
import { modelRouter } from 'ai-proxy-multi';
import express from 'express';
import { describe, expect, it, onTestFinished } from 'vitest';
import { serve } from '../support/app.ts';
import {
  answerJson,
  chatEvent,
  doneEvent,
  echoModel,
  type Script,
  startUpstream,
  usageEvent,
} from '../support/upstream.ts';
import {
  alias,
  at,
  caller,
  configOf,
  failWith,
  messages,
  type RouterOptions,
  readAll,
  servedBy,
  shortStream,
  startRouter,
  streamOf,
  target,
} from './router-app.ts';

const UUID = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;

async function startOne(script: Script, options: RouterOptions = {}, name = 'one') {
  const upstream = await startUpstream(script);
  const app = await startRouter(
    { targets: [target(name, upstream)], aliases: [alias('chat', [name])] },
    options,
  );
  return { app, upstream };
}

/** Answers with these bytes, in pieces of a size. */
function sendBytes(text: string, contentType: string, size = Number.POSITIVE_INFINITY): Script {
  return async (_call, res) => {
    res.writeHead(200, { 'content-type': contentType });
    const bytes = Buffer.from(text);
    res.socket?.setNoDelay(true);
    for (let start = 0; start < bytes.length; start += size) {
      const piece = bytes.subarray(start, Math.min(start + size, bytes.length));
      await new Promise<void>((resolve) => res.write(piece, () => setImmediate(resolve)));
    }
    res.end();
  };
}

describe('a plain answer', () => {
  const body = [
    '{ "id":"chatcmpl-1", "model" :"upstream-one","n":1.50,\n',
    ' "choices":[{"index":0,"message":{"role":"assistant","content":"my \\"model\\": upstream-one"},',
    '"logprobs":{"content":null,"model":"upstream-one"}},{"index":1}],',
    '"usage":{"total_tokens":12345678901234567890},"x_unknown":{"model":"upstream-one"}, "é":"\\u00e9" }\n',
  ].join('');
  const renamed = body.replace('"upstream-one","n"', '"chat","n"');

  it.each([Number.POSITIVE_INFINITY, 7, 1])(
    'has the name that was asked for, every other byte as it came, in pieces of %d',
    async (size) => {
      const { app } = await startOne(sendBytes(body, 'application/json', size));
      const answer = await app.ask('chat');
      expect(answer.status).toBe(200);
      expect(answer.text).toBe(renamed);
      expect(answer.headers.get('content-length')).toBe(String(Buffer.byteLength(renamed)));
    },
  );

  it('keeps its other headers, but not cookies or what belonged to the connection', async () => {
    const { app } = await startOne((_call, res) =>
      answerJson(res, 200, { model: 'm' }, { 'x-ratelimit-remaining': '7', 'set-cookie': 'a=b' }),
    );
    const answer = await app.ask('chat');
    expect(answer.headers.get('x-ratelimit-remaining')).toBe('7');
    expect(answer.headers.get('set-cookie')).toBeNull();
  });

  it('has the name too where the upstream compressed it unasked', async () => {
    const { app } = await startOne((_call, res) => {
      res.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
      res.end(zlib.gzipSync(body));
    });
    const answer = await app.ask('chat');
    expect(answer.text).toBe(renamed);
    expect(answer.headers.get('content-encoding')).toBeNull();
  });

  it('of the Messages API has the name too', async () => {
    const upstream = await startUpstream((_call, res) =>
      answerJson(res, 200, { type: 'message', model: 'claude', content: [] }),
    );
    const app = await startRouter({
      targets: [target('one', upstream, { provider: 'anthropic' }, { api_base: upstream.url })],
      aliases: [alias('chat', ['one'])],
    });
    const answer = await app.post('/v1/messages', { model: 'chat', max_tokens: 1, messages });
    expect(answer.json).toEqual({ type: 'message', model: 'chat', content: [] });
  });

  it('of a direct model has the name of that one', async () => {
    const { app } = await startOne(echoModel());
    expect(at((await app.ask('one')).json, 'model')).toBe('one');
  });

  it('can be given a name that JSON has to escape', async () => {
    const name = 'chat "ä" \\ 🙂';
    const upstream = await startUpstream(echoModel());
    const app = await startRouter({ targets: [target('one', upstream)], aliases: [alias(name, ['one'])] });
    expect(at((await app.ask(name)).json, 'model')).toBe(name);
  });
});

describe('a stream', () => {
  const events = [
    ': ping\n\n',
    chatEvent('Hel', { model: 'upstream-one' }),
    chatEvent('"model":"upstream-one" é 🙂', { model: 'upstream-one-2024' }),
    'data: {"choices":[{"delta":{"content":"x","model":"upstream-one"}}], "model" : "upstream-one"}\r\n\r\n',
    'event: note\nid: 7\ndata: {"no_model":1.0}\n\n',
    doneEvent,
  ].join('');
  const renamed = events
    .replace(chatEvent('Hel', { model: 'upstream-one' }), chatEvent('Hel', { model: 'chat' }))
    .replace('"model":"upstream-one-2024"', '"model":"chat"')
    .replace('"model" : "upstream-one"}', '"model" : "chat"}');

  it.each([Number.POSITIVE_INFINITY, 64, 7, 1])(
    'has the name in every chunk, every other byte as it came, in pieces of %d',
    async (size) => {
      const { app } = await startOne(sendBytes(events, 'text/event-stream', size));
      const answer = await app.ask('chat', { stream: true });
      expect(answer.text).toBe(renamed);
      expect(answer.headers.get('content-type')).toBe('text/event-stream');
    },
  );

  it('of the Messages API has the name in its first event', async () => {
    const start =
      'event: message_start\ndata: {"type":"message_start","message":{"id":"1","model":"claude"}}\n\n';
    const stop = 'event: message_stop\ndata: {"type":"message_stop"}\n\n';
    const upstream = await startUpstream(streamOf(start, stop));
    const app = await startRouter({
      targets: [target('one', upstream, { provider: 'anthropic' }, { api_base: upstream.url })],
      aliases: [alias('chat', ['one'])],
    });
    const body = { model: 'chat', max_tokens: 1, stream: true, messages };
    expect((await app.post('/v1/messages', body)).text).toBe(start.replace('claude', 'chat') + stop);
  });

  it.each([
    ['nobody asked', {}],
    ['its caller said no', { stream_options: { include_usage: false } }],
  ])('has no chunk of usage where %s, but the gateway knows it', async (_why, more) => {
    const { app, upstream } = await startOne(streamOf(chatEvent('Hi'), usageEvent, doneEvent));
    const answer = await app.ask('chat', { stream: true, ...more });
    expect(answer.text).not.toContain('usage');
    expect(answer.text).toContain('[DONE]');
    expect(JSON.parse(upstream.calls[0]?.body ?? '')).toMatchObject({
      stream_options: { include_usage: true },
    });
    expect(app.finished[0]).toMatchObject({ llm_total_tokens: 31 });
  });

  it('has the chunk of usage, with the name, where its caller asked for it', async () => {
    const { app } = await startOne(streamOf(chatEvent('Hi'), usageEvent, doneEvent));
    const answer = await app.ask('chat', { stream: true, stream_options: { include_usage: true } });
    expect(answer.text).toBe(
      (chatEvent('Hi') + usageEvent + doneEvent).replaceAll('"model":"m"', '"model":"chat"'),
    );
  });
});

describe('the headers', () => {
  it.each([{}, { stream: true }])(
    'of an alias say who served it, and the id of the call (%j)',
    async (more) => {
      const { app } = await startOne('stream' in more ? shortStream : echoModel());
      const answer = await app.ask('chat', more);
      expect(servedBy(answer)).toBe('one');
      expect(answer.headers.get('x-aisix-call-id')).toMatch(UUID);
      expect(answer.headers.get('server')).toBeNull();
      expect(answer.headers.get('retry-after')).toBeNull();
    },
  );

  it('hold a new id for each call, which the access log knows', async () => {
    const { app } = await startOne(echoModel());
    const ids = [await app.ask('chat'), await app.ask('chat')].map(({ headers }) =>
      headers.get('x-aisix-call-id'),
    );
    expect(new Set(ids).size).toBe(2);
  });

  it.each([{}, { stream: true }])('of a direct model have the id alone (%j)', async (more) => {
    const { app } = await startOne('stream' in more ? shortStream : echoModel());
    const answer = await app.ask('one', more);
    expect(servedBy(answer)).toBeNull();
    expect(answer.headers.get('x-aisix-call-id')).toMatch(UUID);
  });

  it.each([
    ['an unknown model', 'unknown', echoModel()],
    ["an upstream's 400", 'chat', failWith(400)],
    ["an upstream's 500", 'chat', failWith(500)],
  ] satisfies [string, string, Script][])('of %s have neither', async (_what, model, script) => {
    const { app } = await startOne(script);
    const answer = await app.ask(model);
    expect(servedBy(answer)).toBeNull();
    expect(answer.headers.get('x-aisix-call-id')).toBeNull();
    expect(answer.headers.get('x-aisix-request-id')).toBeNull();
  });

  it.each(['/v1/messages', '/v1/responses', '/v1/embeddings'])('of %s have neither', async (path) => {
    const upstream = await startUpstream(echoModel());
    const adapter = path === '/v1/messages' ? 'anthropic' : 'openai';
    const app = await startRouter({
      targets: [target('one', upstream, {}, { adapter })],
      aliases: [alias('chat', ['one'])],
    });
    const model = path === '/v1/embeddings' ? 'one' : 'chat';
    const answer = await app.post(path, { model, messages, input: 'Hi', max_tokens: 1 });
    expect(answer.status).toBe(200);
    expect(servedBy(answer)).toBeNull();
    expect(answer.headers.get('x-aisix-call-id')).toBeNull();
  });

  it('leave out a name that no header can hold, and the log says so', async () => {
    const { app } = await startOne(echoModel(), {}, 'größe');
    const answer = await app.ask('chat');
    expect(answer.status).toBe(200);
    expect(servedBy(answer)).toBeNull();
    expect(app.logs.filter(({ level }) => level === 'warn')).toHaveLength(1);
  });

  it("never pass on an upstream's claim to have been served by somebody else", async () => {
    const claims = { 'x-aisix-served-by': 'forged', 'x-aisix-call-id': 'forged' };
    const { app } = await startOne((_call, res) => answerJson(res, 200, { model: 'm' }, claims));
    expect(servedBy(await app.ask('chat'))).toBe('one');
    expect((await app.ask('chat')).headers.get('x-aisix-call-id')).toMatch(UUID);
  });

  it('can be switched off, or called otherwise', async () => {
    const off = await startOne(echoModel(), { host: { servedByHeader: false, callIdHeader: false } });
    const other = await startOne(echoModel(), {
      host: { servedByHeader: 'X-Target', callIdHeader: 'X-Call' },
    });
    const without = await off.app.ask('chat');
    expect(servedBy(without)).toBeNull();
    expect(without.headers.get('x-aisix-call-id')).toBeNull();
    const called = await other.app.ask('chat');
    expect(called.headers.get('x-target')).toBe('one');
    expect(called.headers.get('x-call')).toMatch(UUID);
  });

  it('of a request-id header, where there is one, are on every answer', async () => {
    const { app } = await startOne(echoModel(), { host: { requestIdHeader: 'x-aisix-request-id' } });
    const good = await app.ask('chat');
    expect(good.headers.get('x-aisix-request-id')).toMatch(UUID);
    expect(good.headers.get('x-aisix-request-id')).toBe(good.headers.get('x-aisix-call-id'));
    expect((await app.ask('unknown')).headers.get('x-aisix-request-id')).toMatch(UUID);
    expect((await app.get('/v1/models')).headers.get('x-aisix-request-id')).toMatch(UUID);
  });

  it.each([
    ['a caller may choose', 'my-id_7', true],
    ['is replaced where it has spaces', 'my id', false],
    ['is replaced where it is too long', 'x'.repeat(257), false],
  ])('of a request-id header hold an id that %s', async (_what, id, isTaken) => {
    const { app } = await startOne(echoModel(), { host: { requestIdHeader: 'x-aisix-request-id' } });
    const answer = await app.ask('chat', {}, { 'x-aisix-request-id': id });
    expect(answer.headers.get('x-aisix-request-id')).toEqual(isTaken ? id : expect.stringMatching(UUID));
  });
});

describe('GET /v1/models', () => {
  async function startListed() {
    const upstream = await startUpstream(echoModel());
    return startRouter({
      targets: [target('b-model', upstream), target('a-model', upstream, { provider: 'deepseek' })],
      aliases: [alias('chat', ['a-model'])],
      api_keys: [caller('sk-all', ['*']), caller('sk-chat', ['chat']), caller('sk-none', [])],
    });
  }
  const as = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` });

  it('lists models and aliases in the order of their names, with their owners', async () => {
    const app = await startListed();
    const before = Math.floor(Date.now() / 1000);
    const answer = await app.get('/v1/models', as('sk-all'));
    const created = at(answer.json, 'data', 0, 'created');
    expect(answer.json).toEqual({
      object: 'list',
      data: [
        { id: 'a-model', object: 'model', created, owned_by: 'deepseek' },
        { id: 'b-model', object: 'model', created, owned_by: 'openai' },
        { id: 'chat', object: 'model', created, owned_by: 'ai-proxy-multi' },
      ],
    });
    expect(Number(created)).toBeLessThanOrEqual(before);
    expect(Number(created)).toBeGreaterThan(before - 60);
  });

  it('lists the alias and not its targets to a key that may use the alias alone', async () => {
    const app = await startListed();
    const { json } = await app.get('/v1/models', as('sk-chat'));
    expect(at(json, 'data', 0, 'id')).toBe('chat');
    expect(at(json, 'data', 1)).toBeUndefined();
    expect((await app.get('/v1/models', as('sk-none'))).json).toEqual({ object: 'list', data: [] });
  });

  it('needs a key', async () => {
    const app = await startListed();
    const answer = await app.get('/v1/models');
    expect(answer.status).toBe(401);
    expect(at(answer.json, 'error', 'code')).toBe('invalid_api_key');
  });

  it('/:id shows one that the key may use; others are not there', async () => {
    const app = await startListed();
    expect((await app.get('/v1/models/chat', as('sk-chat'))).json).toMatchObject({
      id: 'chat',
      object: 'model',
    });
    for (const name of ['a-model', 'unknown']) {
      const answer = await app.get(`/v1/models/${name}`, as('sk-chat'));
      expect(answer.status).toBe(404);
      expect(at(answer.json, 'error', 'code')).toBe('model_not_found');
    }
    expect((await app.get('/v1/models/chat')).status).toBe(401);
  });

  it('/:id finds names with slashes', async () => {
    const upstream = await startUpstream(echoModel());
    const app = await startRouter({ targets: [target('openai/gpt-4o', upstream)] });
    expect((await app.get('/v1/models/openai/gpt-4o')).json).toMatchObject({ id: 'openai/gpt-4o' });
    expect((await app.get('/v1/models/openai%2Fgpt-4o')).json).toMatchObject({ id: 'openai/gpt-4o' });
  });
});

describe('a model router', () => {
  it('leaves other paths to the application', async () => {
    const upstream = await startUpstream(echoModel());
    const router = modelRouter(configOf({ targets: [target('one', upstream)] }));
    onTestFinished(() => router.close());
    const app = express();
    app.use('/ai', router);
    app.use((_req, res) => void res.status(418).end());
    const { url } = await serve(app);
    expect((await fetch(`${url}/ai/v1/unknown`, { method: 'POST' })).status).toBe(418);
    expect((await fetch(`${url}/ai/v1/chat/completions`)).status).toBe(418);
    expect((await fetch(`${url}/v1/models`)).status).toBe(418);
    expect((await fetch(`${url}/ai/v1/models`)).status).toBe(200);
  });

  it('serves below a mount point', async () => {
    const upstream = await startUpstream(echoModel());
    const app = await startRouter({ targets: [target('one', upstream)] }, { mount: '/ai' });
    expect((await app.ask('one')).status).toBe(200);
    expect(upstream.calls[0]?.url).toBe('/v1/chat/completions');
  });

  it('serves in a bare http server', async () => {
    const upstream = await startUpstream(echoModel());
    const router = modelRouter(configOf({ targets: [target('one', upstream)] }));
    onTestFinished(() => router.close());
    const { url } = await serve((req: http.IncomingMessage, res: http.ServerResponse) => router(req, res));
    const init = { method: 'POST', headers: { 'content-type': 'application/json' } };
    const body = JSON.stringify({ model: 'one', messages });
    expect((await fetch(`${url}/v1/chat/completions`, { ...init, body })).status).toBe(200);
    expect((await readAll(await fetch(`${url}/nothing`))).status).toBe(404);
  });

  it('takes a body that a parser in front has read', async () => {
    const { app, upstream } = await startOne(echoModel(), { before: express.json() });
    expect((await app.ask('chat')).status).toBe(200);
    expect(upstream.calls).toHaveLength(1);
  });

  it('update() changes what is served at once, and an invalid one changes nothing', async () => {
    const { app, upstream } = await startOne(echoModel());
    app.router.update(configOf({ targets: [target('two', upstream)], aliases: [alias('chat', ['two'])] }));
    expect(servedBy(await app.ask('chat'))).toBe('two');
    expect((await app.ask('one')).status).toBe(404);
    expect(() => app.router.update(configOf({ targets: [], aliases: [alias('chat', ['nobody'])] }))).toThrow(
      /nobody/,
    );
    expect(servedBy(await app.ask('chat'))).toBe('two');
  });
});
