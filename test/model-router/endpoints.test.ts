import { describe, expect, it } from 'vitest';
import { connectRaw, rawPost } from '../support/raw.ts';
import { answerJson, chatAnswer, echoModel, type Script, startUpstream } from '../support/upstream.ts';
import {
  alias,
  at,
  caller,
  failWith,
  messages,
  servedBy,
  startRouter,
  streamOf,
  target,
} from './router-app.ts';

/** An upstream with Anthropic's own API. */
async function startAnthropic(...scripts: readonly Script[]) {
  const upstreams = await Promise.all(scripts.map(startUpstream));
  const names = upstreams.map((_each, index) => `claude-${index}`);
  const app = await startRouter({
    targets: upstreams.map((upstream, index) =>
      target(`claude-${index}`, upstream, { provider: 'anthropic' }, { api_base: upstream.url }),
    ),
    aliases: [alias('chat', names)],
  });
  return { app, upstreams };
}

const event = (name: string, data: object): string =>
  `event: ${name}\ndata: ${JSON.stringify({ type: name, ...data })}\n\n`;

describe('/v1/messages/count_tokens', () => {
  it("takes an alias, and sends the target's model and key", async () => {
    const { app, upstreams } = await startAnthropic((_call, res) =>
      answerJson(res, 200, { input_tokens: 7 }),
    );
    const answer = await app.post('/v1/messages/count_tokens', { model: 'chat', messages });
    expect(answer.json).toEqual({ input_tokens: 7 });
    const call = upstreams[0]?.calls[0];
    expect(call?.url).toBe('/v1/messages/count_tokens');
    expect(call?.headers['x-api-key']).toBe('sk-claude-0');
    expect(at(JSON.parse(call?.body ?? ''), 'model')).toBe('upstream-claude-0');
  });

  it('moves on to the next target', async () => {
    const { app } = await startAnthropic(failWith(529), (_call, res) =>
      answerJson(res, 200, { input_tokens: 7 }),
    );
    expect((await app.post('/v1/messages/count_tokens', { model: 'chat', messages })).status).toBe(200);
  });

  it('has errors in the shape of the Messages API', async () => {
    const { app } = await startAnthropic(failWith(400));
    const answer = await app.post('/v1/messages/count_tokens', { model: 'chat', messages });
    expect(answer.json).toMatchObject({
      type: 'error',
      error: { type: 'invalid_request_error', message: 'upstream words' },
    });
  });
});

describe('/v1/messages', () => {
  const start = event('message_start', { message: { id: '1', model: 'claude', usage: { input_tokens: 3 } } });
  const text = event('content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'partial' } });
  const overloaded = event('error', { error: { type: 'overloaded_error', message: 'internal words' } });
  const body = { model: 'chat', max_tokens: 9, stream: true, messages };

  it('moves on where a stream begins with an error', async () => {
    const { app, upstreams } = await startAnthropic(
      streamOf(overloaded),
      streamOf(start, text, event('message_stop', {})),
    );
    const answer = await app.post('/v1/messages', body);
    expect(answer.text).toBe(start.replace('"claude"', '"chat"') + text + event('message_stop', {}));
    expect(upstreams[0]?.calls).toHaveLength(1);
  });

  it("ends a stream that breaks with an error event of Anthropic's, and breaks the connection", async () => {
    const { app } = await startAnthropic(streamOf(start, text, overloaded, event('message_stop', {})));
    const client = await connectRaw(app.port);
    client.write(rawPost('/v1/messages', JSON.stringify(body)));
    const received = await client.closed();
    expect(received).toContain('partial');
    expect(received.match(/^event: error$/gm)).toHaveLength(1);
    expect(received).toMatch(/data: \{"type":"error","error":\{/);
    expect(received).not.toContain('internal words');
    expect(received).not.toContain('message_stop');
    expect(received.endsWith('0\r\n\r\n')).toBe(false);
  });

  it('accepts the key of a caller in x-api-key', async () => {
    const upstream = await startUpstream(echoModel());
    const app = await startRouter({
      targets: [target('claude', upstream, { provider: 'anthropic' }, { api_base: upstream.url })],
      api_keys: [caller('sk-ant', ['claude'])],
    });
    const headers = { 'x-api-key': 'sk-ant' };
    expect((await app.post('/v1/messages', { ...body, model: 'claude' }, headers)).status).toBe(200);
    expect(upstream.calls[0]?.headers['x-api-key']).toBe('sk-claude');
  });
});

describe('/v1/responses', () => {
  const created = event('response.created', { response: { id: 'r', model: 'gpt', output: [] } });
  const delta = event('response.output_text.delta', { delta: 'my "model":"gpt"' });
  const completed = event('response.completed', { response: { id: 'r', model: 'gpt', output: [] } });

  async function startResponses(script: Script) {
    const upstream = await startUpstream(script);
    return startRouter({ targets: [target('one', upstream)], aliases: [alias('chat', ['one'])] });
  }

  it('has the name that was asked for in a plain answer and in every event', async () => {
    const plain = await startResponses((_call, res) => answerJson(res, 200, { id: 'r', model: 'gpt' }));
    expect((await plain.post('/v1/responses', { model: 'chat', input: 'Hi' })).json).toEqual({
      id: 'r',
      model: 'chat',
    });
    const streamed = await startResponses(streamOf(created, delta, completed));
    const answer = await streamed.post('/v1/responses', { model: 'chat', input: 'Hi', stream: true });
    const renamed = (text: string): string => text.replace('"model":"gpt"', '"model":"chat"');
    expect(answer.text).toBe(renamed(created) + delta + renamed(completed));
  });

  it('answers a stream that begins with response.failed as what it says', async () => {
    const failed = event('response.failed', {
      response: { error: { code: 'rate_limit_exceeded', message: 'slow down' } },
    });
    const app = await startResponses(streamOf(failed));
    const answer = await app.post('/v1/responses', { model: 'chat', input: 'Hi', stream: true });
    expect(answer.status).toBe(429);
    expect(at(answer.json, 'error')).toMatchObject({ message: 'slow down', code: 'rate_limit_exceeded' });
  });
});

describe('the name of a model', () => {
  it.each(['constructor', '__proto__', 'toString', 'chat ', 'CHAT'])('%j is nobody’s: 404', async (name) => {
    const upstream = await startUpstream(echoModel());
    const app = await startRouter({ targets: [target('one', upstream)], aliases: [alias('chat', ['one'])] });
    expect((await app.ask(name)).status).toBe(404);
    expect(upstream.calls).toEqual([]);
  });

  it('may be called like what every object has', async () => {
    const upstream = await startUpstream(echoModel());
    const app = await startRouter({
      targets: [target('constructor', upstream)],
      aliases: [alias('__proto__', ['constructor'])],
    });
    const answer = await app.ask('__proto__');
    expect(answer.status).toBe(200);
    expect(servedBy(answer)).toBe('constructor');
    expect(at(answer.json, 'model')).toBe('__proto__');
  });

  it('may be escaped, and given twice leaves nothing of the alias upstream', async () => {
    const upstream = await startUpstream(echoModel());
    const app = await startRouter({
      targets: [target('one', upstream), target('two', upstream)],
      aliases: [alias('chat', ['one'])],
      api_keys: [caller('sk-chat', ['chat'])],
    });
    const headers = { authorization: 'Bearer sk-chat' };
    const list = JSON.stringify(messages);
    const escaped = `{"model":"ch\\u0061t","messages":${list}}`;
    expect((await app.post('/v1/chat/completions', escaped, headers)).status).toBe(200);
    for (const names of ['"model":"two","model":"chat"', '"model":"chat","model":"two"']) {
      await app.post('/v1/chat/completions', `{${names},"messages":${list}}`, headers);
    }
    for (const { body } of upstream.calls) {
      expect(body.match(/"model":"[^"]*"/g)?.every((each) => each === '"model":"upstream-one"')).toBe(true);
    }
  });
});

describe('a place among the requests under way', () => {
  it('is free again when a client has left', async () => {
    let isHeld = true;
    const upstream = await startUpstream((_call, res) => {
      if (!isHeld) answerJson(res, 200, chatAnswer('m'));
    });
    const app = await startRouter({
      targets: [target('one', upstream)],
      aliases: [alias('chat', ['one'], {}, { rate_limit: { concurrency: 1 } })],
    });
    const leaving = new AbortController();
    const asked = app.send('chat', {}, { signal: leaving.signal });
    asked.catch(() => {});
    await expect.poll(() => upstream.calls.length).toBe(1);
    expect((await app.ask('chat')).status).toBe(429);
    leaving.abort();
    await expect.poll(() => app.router.status().in_flight).toBe(0);
    isHeld = false;
    expect((await app.ask('chat')).status).toBe(200);
  });

  it('is free again after a request that no target could be asked for, or that failed', async () => {
    const upstream = await startUpstream(failWith(500));
    const app = await startRouter({
      targets: [target('one', upstream, { allowed_cidrs: ['10.0.0.0/8'], rate_limit: { concurrency: 1 } })],
      aliases: [alias('chat', ['one'], {}, { rate_limit: { concurrency: 1 } })],
    });
    for (let count = 0; count < 2; count++) expect((await app.ask('chat')).status).toBe(403);
    const inside = { 'x-forwarded-for': '10.0.0.1' };
    for (let count = 0; count < 2; count++) expect((await app.ask('chat', {}, inside)).status).toBe(502);
  });
});

describe('a provider key', () => {
  it.each(['sk-ü€', 'sk-a\nx-forged: 1', 'sk-\u0000'])(
    'of bytes that no header can hold is never sent: %j',
    async (key) => {
      const upstream = await startUpstream(echoModel());
      const second = await startUpstream(echoModel());
      const app = await startRouter(
        {
          targets: [target('one', upstream, {}, { api_key: '$secret://key' }), target('two', second)],
          aliases: [alias('chat', ['one', 'two'])],
        },
        { host: { secret: () => Promise.resolve(key) } },
      );
      const answer = await app.ask('chat');
      expect([400, 401]).toContain(answer.status);
      expect(answer.text).not.toContain('sk-');
      expect([upstream.calls, second.calls]).toEqual([[], []]);
      expect(app.state('one')).toMatchObject({ status: 'healthy' });
    },
  );
});

describe('a secret that cannot be had', () => {
  const secret = () => Promise.reject(new Error('the vault is sealed'));

  it('is a failure from which the request moves on', async () => {
    const [one, two] = [await startUpstream(echoModel()), await startUpstream(echoModel())];
    const app = await startRouter(
      {
        targets: [target('one', one, {}, { api_key: '$secret://key' }), target('two', two)],
        aliases: [alias('chat', ['one', 'two'])],
      },
      { host: { secret } },
    );
    expect((await app.ask('chat')).status).toBe(200);
    expect([one.calls.length, two.calls.length]).toEqual([0, 1]);
  });

  it('is a 502 where nothing else is left, not the fault of the caller', async () => {
    const one = await startUpstream(echoModel());
    const targets = [target('one', one, {}, { api_key: '$secret://key' })];
    const app = await startRouter({ targets }, { host: { secret } });
    const answer = await app.ask('one');
    expect(answer.status).toBe(502);
    expect(at(answer.json, 'error', 'code')).toBe('credentials_unavailable');
    expect(answer.text).not.toContain('vault');
  });
});

describe('an upstream that does not finish its error', () => {
  it('does not keep the caller waiting for it', async () => {
    const upstream = await startUpstream((_call, res) => {
      res.writeHead(400, { 'content-type': 'application/json' });
      res.write('{"error":{"message":"half');
    });
    const app = await startRouter({ targets: [target('one', upstream)] });
    const answer = await app.ask('one');
    expect(answer.status).toBe(400);
    expect(at(answer.json, 'error', 'type')).toBe('upstream_error');
    await expect.poll(() => upstream.sockets.size).toBe(0);
  });

  it('or floods, does not fill the memory', async () => {
    const upstream = await startUpstream((_call, res) => {
      res.writeHead(400, { 'content-type': 'application/json' });
      const pour = (): void => {
        while (!res.destroyed && res.write('x'.repeat(65_536)));
      };
      res.on('drain', pour);
      pour();
    });
    const app = await startRouter({ targets: [target('one', upstream)] });
    expect((await app.ask('one')).status).toBe(400);
    await expect.poll(() => upstream.sockets.size).toBe(0);
  });
});

describe('GET /status/models', () => {
  it('shows every model, with times as AISIX writes them, and needs no key', async () => {
    const upstream = await startUpstream(failWith(401));
    const app = await startRouter({
      targets: [target('one', upstream)],
      aliases: [alias('chat', ['one'])],
      api_keys: [caller('sk-all', ['*'])],
    });
    await app.ask('chat', {}, { authorization: 'Bearer sk-all' });
    const { json } = await app.get('/status/models');
    expect(json).toEqual([
      {
        id: expect.any(String),
        display_name: 'one',
        kind: 'direct',
        status: 'cooldown',
        status_reason: 'upstream_auth_failure',
        cooldown_until: { secs_since_epoch: expect.any(Number), nanos_since_epoch: expect.any(Number) },
      },
      { id: expect.any(String), display_name: 'chat', kind: 'routing', status: 'not_applicable' },
    ]);
  });
});
