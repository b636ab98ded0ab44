import { describe, expect, it } from 'vitest';
import { type InstanceConfig, instance, post, startApp } from '../support/app.ts';
import { answerJson, chatEvent, doneEvent, echoModel, startUpstream } from '../support/upstream.ts';

/** The body that an instance is sent for the client's. */
async function sent(
  body: string,
  more: Partial<InstanceConfig>,
  path = '/v1/chat/completions',
): Promise<string> {
  const upstream = await startUpstream((call, res) => {
    if (!/"stream": ?true/.test(call.body)) return answerJson(res, 200, { ok: true });
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.end(chatEvent('Hi') + doneEvent);
  });
  const config = instance('a', upstream.url, { options: {}, ...more });
  const { endpoint: _none, ...override } = more.override ?? {};
  const app = await startApp({
    instances: [{ ...config, override: { ...override, endpoint: upstream.url } }],
  });
  await (await post(`${app.url}${path}`, body)).text();
  return upstream.calls[0]?.body ?? '';
}

const sentJson = async (body: unknown, more: Partial<InstanceConfig>, path?: string): Promise<unknown> =>
  JSON.parse(await sent(JSON.stringify(body), more, path));

describe('a body that nothing changes', () => {
  const odd =
    ' { "messages" : [ ] ,\r\n "n": 1.0, "big": 12345678901234567890, "e":1E+3, "t": "\\u00e9\\/é" }\n';

  it('goes out byte for byte as it came in', async () => {
    expect(await sent(odd, {})).toBe(odd);
  });

  it('goes out byte for byte where an override has nothing to add', async () => {
    const body = '{ "messages":[], "metadata": { "id": 12345678901234567890, "x": 1.0 } }';
    expect(
      await sent(body, { override: { request_body: { 'openai-chat': { metadata: { x: 2, id: 1 } } } } }),
    ).toBe(body);
  });

  it('keeps a value that wins over an object of request_body as it was written', async () => {
    const body = '{"messages":[], "metadata": 12345678901234567890}';
    expect(await sent(body, { override: { request_body: { 'openai-chat': { metadata: { x: 2 } } } } })).toBe(
      body,
    );
  });

  it('goes out as it came in with a stream that asks for usage itself', async () => {
    const body = '{"messages":[], "stream": true, "stream_options": { "include_usage" : true, "x": 1.0 } }';
    expect(await sent(body, {})).toBe(body);
  });

  it.each(['/v1/responses', '/v1/embeddings', '/v1/moderations'])('on %s as well', async (path) => {
    const body = '{ "input" : "x",  "stream" : false }';
    expect(await sent(body, {}, path)).toBe(body);
  });

  it('of a megabyte as well', async () => {
    const body = `{ "messages" : [ { "role":"user", "content":"${'é\\n'.repeat(350_000)}" } ] }`;
    expect((await sent(body, {})) === body).toBe(true);
  });
});

describe('options', () => {
  it("overwrite the client's, and leave every other byte", async () => {
    const body = '{ "model":"gpt-4" , "messages":[], "seed" : 12345678901234567890 }';
    expect(await sent(body, { options: { model: 'ours' } })).toBe(
      '{ "model":"ours" , "messages":[], "seed" : 12345678901234567890 }',
    );
  });

  it('are added where the client says nothing', async () => {
    expect(await sentJson({ messages: [] }, { options: { model: 'ours', temperature: 0.5 } })).toEqual({
      messages: [],
      model: 'ours',
      temperature: 0.5,
    });
  });

  it('overwrite a member as a whole', async () => {
    const body = { messages: [], metadata: { user: 'client', more: 1 } };
    expect(await sentJson(body, { options: { metadata: { app: 'ours' } } })).toEqual({
      messages: [],
      metadata: { app: 'ours' },
    });
  });

  it('overwrite every occurrence of a key, whichever the LLM takes', async () => {
    const body = '{"model":"dear","messages":[],"mod\\u0065l":"dearer"}';
    expect(await sent(body, { options: { model: 'ours' } })).toBe(
      '{"model":"ours","messages":[],"mod\\u0065l":"ours"}',
    );
  });

  it('hold for every protocol', async () => {
    for (const path of ['/v1/responses', '/v1/embeddings', '/v1/moderations']) {
      expect(await sentJson({ input: 'x', model: 'theirs' }, { options: { model: 'ours' } }, path)).toEqual({
        input: 'x',
        model: 'ours',
      });
    }
  });
});

describe('override.request_body', () => {
  const patch = { temperature: 0.1, metadata: { app: 'ours', deep: { a: 1, b: 2 } }, stop: ['x'] };
  const override = { request_body: { 'openai-chat': patch } };

  it('is added where nothing is', async () => {
    expect(await sentJson({ messages: [] }, { override })).toEqual({ messages: [], ...patch });
  });

  it('is merged deeply, and a value already there wins', async () => {
    const body = { messages: [], temperature: 0.9, metadata: { deep: { b: 'theirs', c: 3 } }, stop: [] };
    expect(await sentJson(body, { override })).toEqual({
      messages: [],
      temperature: 0.9,
      metadata: { app: 'ours', deep: { a: 1, b: 'theirs', c: 3 } },
      stop: [],
    });
  });

  it('wins over what is there with request_body_force_override, and is merged all the same', async () => {
    const body = {
      messages: [],
      temperature: 0.9,
      metadata: { own: 1, deep: { b: 'theirs', c: 3 } },
      stop: [],
    };
    expect(await sentJson(body, { override: { ...override, request_body_force_override: true } })).toEqual({
      messages: [],
      temperature: 0.1,
      metadata: { own: 1, app: 'ours', deep: { a: 1, b: 2, c: 3 } },
      stop: ['x'],
    });
  });

  it('does not win over null or false, which are values', async () => {
    const body = { messages: [], temperature: null, metadata: false };
    expect(await sentJson(body, { override })).toMatchObject(body);
  });

  it('does not win over options, but for force', async () => {
    const options = { temperature: 0.7 };
    expect(await sentJson({ messages: [] }, { options, override })).toMatchObject({ temperature: 0.7 });
    const force = { ...override, request_body_force_override: true };
    expect(await sentJson({ messages: [] }, { options, override: force })).toMatchObject({
      temperature: 0.1,
    });
  });

  it('is for its protocol alone', async () => {
    expect(await sentJson({ input: 'x' }, { override }, '/v1/embeddings')).toEqual({ input: 'x' });
  });

  it('can ask for a stream, and then for its usage', async () => {
    const stream = { request_body: { 'openai-chat': { stream: true } } };
    expect(await sentJson({ messages: [] }, { override: stream })).toEqual({
      messages: [],
      stream: true,
      stream_options: { include_usage: true },
    });
  });
});

describe('a chat stream', () => {
  it.each([
    ['the client', { stream: true }, {}],
    ['options', {}, { stream: true }],
    ['options against the client', { stream: false }, { stream: true }],
  ])('by the wish of %s asks for its usage', async (_whose, wish, options) => {
    expect(await sentJson({ messages: [], ...wish }, { options })).toMatchObject({
      stream: true,
      stream_options: { include_usage: true },
    });
  });

  it("keeps the client's other stream_options", async () => {
    const body = {
      messages: [],
      stream: true,
      stream_options: { include_usage: false, include_obfuscation: false },
    };
    expect(await sentJson(body, {})).toMatchObject({
      stream_options: { include_usage: true, include_obfuscation: false },
    });
  });

  it('that options switch off leaves no stream_options behind, which OpenAI refuses', async () => {
    const body = { messages: [], stream: true, stream_options: { include_usage: true } };
    expect(await sentJson(body, { options: { stream: false } })).toEqual({ messages: [], stream: false });
  });

  it('is no plain request, and no stream of another protocol', async () => {
    expect(await sentJson({ messages: [], stream: false }, {})).toEqual({ messages: [], stream: false });
    const responses = { input: 'x', stream: true };
    expect(await sentJson(responses, {}, '/v1/responses')).toEqual(responses);
    const messages = { messages: [], stream: true };
    expect(await sentJson(messages, { provider: 'anthropic' }, '/v1/messages')).toEqual(messages);
  });
});

describe('azure-openai', () => {
  it('gets no model, by whosever wish', async () => {
    const override = {
      request_body: { 'openai-chat': { model: 'merged' } },
      request_body_force_override: true,
    };
    const more = { provider: 'azure-openai' as const, options: { model: 'ours', seed: 1 }, override };
    expect(await sentJson({ model: 'theirs', messages: [] }, more)).toEqual({ messages: [], seed: 1 });
    expect(await sentJson({ messages: [] }, more)).toEqual({ messages: [], seed: 1 });
  });
});

it('nothing of instance A reaches instance B', async () => {
  const first = await startUpstream((_call, res) => answerJson(res, 500, {}));
  const second = await startUpstream(echoModel());
  const body = '{ "messages": [] , "stop": "x" }';
  const app = await startApp({
    fallback_strategy: 'http_5xx',
    instances: [
      instance('a', first.url, {
        priority: 1,
        auth: { header: { Authorization: 'Bearer of-a', 'X-Of-A': 'a' }, query: { of: 'a' } },
        options: { model: 'of-a', temperature: 0, stop: 'a' },
        override: {
          endpoint: first.url,
          llm_options: { max_tokens: 7 },
          request_body: { 'openai-chat': { metadata: { of: 'a' } } },
        },
      }),
      instance('b', second.url, { auth: { header: { 'X-Of-B': 'b' } }, options: {} }),
    ],
  });
  expect((await post(app.url, body)).status).toBe(200);
  expect(JSON.parse(first.calls[0]?.body ?? '')).toMatchObject({ model: 'of-a', metadata: { of: 'a' } });
  const [call] = second.calls;
  expect(call?.body).toBe(body);
  expect(call?.url).toBe('/v1/chat/completions');
  expect(call?.headers).toMatchObject({ 'x-of-b': 'b', 'content-length': String(body.length) });
  expect(call?.headers).not.toHaveProperty('authorization');
  expect(call?.headers).not.toHaveProperty('x-of-a');
});
