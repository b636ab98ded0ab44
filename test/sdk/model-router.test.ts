/** The two official SDKs, unchanged, with their base URL at a model router and a caller's key as their own. */
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { readPath } from '../../examples/read-path.ts';
import {
  aliasOf,
  callerFor,
  keyFor,
  modelFor,
  type StartedRouter,
  startRouter,
} from '../model-router/started-router.ts';
import { chatEvent, type Script, startUpstream } from '../support/upstream.ts';
import { CALLERS_KEY, collect, rejection, startMock } from './clients.ts';

const question = { model: 'chat', messages: [{ role: 'user' as const, content: 'What is 1+1?' }] };
const ANSWER = '1+1 equals 2.';

function clientsOf({ url }: StartedRouter, key = CALLERS_KEY) {
  return {
    openai: new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0 }),
    anthropic: new Anthropic({ baseURL: url, apiKey: key, maxRetries: 0 }),
  };
}

async function start() {
  const mock = await startMock();
  const claude = { provider: 'anthropic', adapter: 'anthropic' as const, api_base: mock.url };
  const started = await startRouter({
    provider_keys: [keyFor('gpt', mock.url), keyFor('claude', mock.url, claude), keyFor('vectors', mock.url)],
    models: [
      modelFor('gpt', { model_name: 'gpt-4o' }),
      modelFor('claude', { provider: 'anthropic', model_name: 'claude-sonnet-4-20250514' }),
      modelFor('vectors', { model_name: 'text-embedding-3-small' }),
      aliasOf('chat', ['gpt']),
      aliasOf('messages', ['claude']),
    ],
    api_keys: [callerFor(CALLERS_KEY, { allowed_models: ['chat', 'messages', 'vectors'] })],
  });
  return { mock, started, ...clientsOf(started) };
}

describe('the official openai SDK', () => {
  it('gets a chat completion under the name that it has asked for', async () => {
    const { openai, mock } = await start();
    const { data: completion, response } = await openai.chat.completions.create(question).withResponse();
    expect(completion.choices[0]?.message.content).toBe(ANSWER);
    expect([completion.model, response.headers.get('x-aisix-served-by')]).toEqual(['chat', 'gpt']);
    expect(readPath(mock.requests[0]?.body, 'model')).toBe('gpt-4o');
    expect(mock.requests[0]?.headers.authorization).toBe('Bearer secret-of-gpt');
  });

  it('gets it as a stream, every chunk under that name and each with a choice', async () => {
    const { openai } = await start();
    const chunks = await collect(await openai.chat.completions.create({ ...question, stream: true }));
    expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')).toBe(ANSWER);
    expect(new Set(chunks.map(({ model }) => model))).toEqual(new Set(['chat']));
    expect(chunks.every(({ choices }) => choices.length > 0)).toBe(true);
  });

  it('gets the usage of a stream when it asks for it', async () => {
    const { openai } = await start();
    const stream_options = { include_usage: true };
    const stream = await openai.chat.completions.create({ ...question, stream: true, stream_options });
    expect((await collect(stream)).at(-1)?.usage?.total_tokens).toBe(13);
  });

  it('gets calls of tools', async () => {
    const { openai } = await start();
    const parameters = { type: 'object', properties: { city: { type: 'string' } } };
    const completion = await openai.chat.completions.create({
      model: 'chat',
      messages: [{ role: 'user', content: 'How is the weather in Paris?' }],
      tools: [{ type: 'function', function: { name: 'get_weather', parameters } }],
    });
    const call = completion.choices[0]?.message.tool_calls?.[0];
    expect(call?.type === 'function' && call.function.name).toBe('get_weather');
  });

  it('gets responses, plain and streamed', async () => {
    const { openai } = await start();
    const response = await openai.responses.create({ model: 'chat', input: 'What is 1+1?' });
    expect([response.output_text, response.model]).toEqual([ANSWER, 'chat']);
    const final = await openai.responses.stream({ model: 'chat', input: 'What is 1+1?' }).finalResponse();
    expect([final.output_text, final.model]).toEqual([ANSWER, 'chat']);
  });

  it('gets embeddings of a direct model, and is told that an alias has none', async () => {
    const { openai } = await start();
    const answer = await openai.embeddings.create({ model: 'vectors', input: ['one', 'two'] });
    expect(answer.data.map(({ embedding }) => embedding.length)).toEqual([1536, 1536]);
    const thrown = await rejection(openai.embeddings.create({ model: 'chat', input: 'one' }));
    expect(thrown).toBeInstanceOf(OpenAI.BadRequestError);
  });

  it('lists the models that its key may use, and finds one of them', async () => {
    const { openai } = await start();
    const models = await collect(openai.models.list());
    expect(models.map(({ id }) => id)).toEqual(['chat', 'messages', 'vectors']);
    expect(await openai.models.retrieve('chat')).toMatchObject({ id: 'chat', object: 'model' });
    expect(await rejection(openai.models.retrieve('gpt'))).toBeInstanceOf(OpenAI.NotFoundError);
  });

  it('ends a stream in the middle, and the LLM notices', async () => {
    let left = (): void => {};
    const leaving = new Promise<void>((resolve) => {
      left = resolve;
    });
    const llm = await startUpstream((_call, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' }).write(chatEvent('Hi'));
      res.on('close', left);
    });
    const started = await startRouter({
      provider_keys: [keyFor('gpt', llm.url)],
      models: [modelFor('gpt'), aliasOf('chat', ['gpt'])],
    });
    const { openai } = clientsOf(started);
    for await (const chunk of await openai.chat.completions.create({ ...question, stream: true })) {
      expect(chunk.choices[0]?.delta.content).toBe('Hi');
      break;
    }
    await leaving;
    expect((await started.ended(1))[0]?.llm_outcome).toBe('client_gone');
  });

  it.each([
    ['a key that is not known', 'sk-other', {}, OpenAI.AuthenticationError, 'invalid_api_key'],
    [
      'a model that there is none of',
      CALLERS_KEY,
      { model: 'none' },
      OpenAI.NotFoundError,
      'model_not_found',
    ],
    [
      'a model that it may not use',
      CALLERS_KEY,
      { model: 'gpt' },
      OpenAI.PermissionDeniedError,
      'permission_denied',
    ],
    ['no messages', CALLERS_KEY, { messages: [] }, OpenAI.BadRequestError, 'invalid_request_error'],
  ])('throws its own error for %s', async (_what, key, more, ErrorClass, type) => {
    const { started } = await start();
    const { openai } = clientsOf(started, key);
    const thrown = await rejection(openai.chat.completions.create({ ...question, ...more }));
    expect(thrown).toBeInstanceOf(ErrorClass);
    expect(thrown).toMatchObject({ type, code: type });
  });

  it.each([
    [400, OpenAI.BadRequestError, 400],
    [429, OpenAI.RateLimitError, 429],
    [503, OpenAI.InternalServerError, 502],
  ])("throws its own error for an LLM's %i", async (status, ErrorClass, seen) => {
    const llm = await startUpstream((_call, res) =>
      res
        .writeHead(status, { 'content-type': 'application/json' })
        .end('{"error":{"message":"no","code":"why"}}'),
    );
    const started = await startRouter({ provider_keys: [keyFor('gpt', llm.url)], models: [modelFor('gpt')] });
    const { openai } = clientsOf(started);
    const thrown = await rejection(openai.chat.completions.create({ ...question, model: 'gpt' }));
    expect(thrown).toBeInstanceOf(ErrorClass);
    expect(thrown).toMatchObject({
      status: seen,
      type: 'upstream_error',
      code: seen < 500 ? 'why' : 'upstream_error',
    });
  });

  it.each<[string, Script]>([
    ['breaks off', (_call, res) => res.write(chatEvent('Hi'), () => setImmediate(() => res.destroy()))],
    [
      'tells of an error',
      (_call, res) => res.end(`${chatEvent('Hi')}data: {"error":{"message":"no","type":"server_error"}}\n\n`),
    ],
  ])('has the text and then an error of a stream that %s', async (_how, script) => {
    const llm = await startUpstream((call, res, req) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      script(call, res, req);
    });
    const started = await startRouter({ provider_keys: [keyFor('gpt', llm.url)], models: [modelFor('gpt')] });
    const { openai } = clientsOf(started);
    const stream = await openai.chat.completions.create({ ...question, model: 'gpt', stream: true });
    const texts: unknown[] = [];
    const thrown = await rejection(
      (async () => {
        for await (const chunk of stream) texts.push(chunk.choices[0]?.delta.content);
      })(),
    );
    expect(texts).toEqual(['Hi']);
    expect(thrown).toBeInstanceOf(OpenAI.APIError);
  });
});

describe('the official Anthropic SDK', () => {
  const asking = { model: 'messages', max_tokens: 100, messages: question.messages };

  it('gets a message under the name that it has asked for', async () => {
    const { anthropic, mock } = await start();
    const message = await anthropic.messages.create(asking);
    expect(message.content).toMatchObject([{ type: 'text', text: ANSWER }]);
    expect(message.model).toBe('messages');
    expect(mock.requests[0]).toMatchObject({
      url: '/v1/messages',
      headers: { 'x-api-key': 'secret-of-claude' },
    });
  });

  it('gets it as a stream', async () => {
    const { anthropic } = await start();
    const message = await anthropic.messages.stream(asking).finalMessage();
    expect(message.content).toMatchObject([{ type: 'text', text: ANSWER }]);
    expect(message.model).toBe('messages');
  });

  it.each([
    ['a key that is not known', 'sk-other', {}, Anthropic.AuthenticationError, 'authentication_error'],
    [
      'a model that there is none of',
      CALLERS_KEY,
      { model: 'none' },
      Anthropic.NotFoundError,
      'not_found_error',
    ],
    [
      'a model that it may not use',
      CALLERS_KEY,
      { model: 'claude' },
      Anthropic.PermissionDeniedError,
      'permission_error',
    ],
  ])('throws its own error for %s', async (_what, key, more, ErrorClass, type) => {
    const { started } = await start();
    const { anthropic } = clientsOf(started, key);
    const thrown = await rejection(anthropic.messages.create({ ...asking, ...more }));
    expect(thrown).toBeInstanceOf(ErrorClass);
    expect(readPath(thrown, 'error', 'error', 'type')).toBe(type);
  });
});
