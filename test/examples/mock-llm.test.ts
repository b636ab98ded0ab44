import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterEach, describe, expect, it } from 'vitest';
import { type MockLlm, type MockLlmOptions, startMockLlm } from '../../examples/mock-llm.ts';
import { readPath } from '../../examples/read-path.ts';

const mocks: MockLlm[] = [];

async function start(options?: MockLlmOptions): Promise<MockLlm> {
  const mock = await startMockLlm(options);
  mocks.push(mock);
  return mock;
}

afterEach(async () => {
  await Promise.all(mocks.splice(0).map((mock) => mock.close()));
});

async function openai(options?: MockLlmOptions): Promise<OpenAI> {
  const { url } = await start(options);
  return new OpenAI({ baseURL: `${url}/v1`, apiKey: 'sk-mock', maxRetries: 0 });
}

async function anthropic(options?: MockLlmOptions): Promise<Anthropic> {
  const { url } = await start(options);
  return new Anthropic({ baseURL: url, apiKey: 'sk-mock', maxRetries: 0 });
}

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

function post(mock: MockLlm, path: string, body: unknown, headers: Record<string, string> = {}) {
  return fetch(`${mock.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
}

const sum = { model: 'gpt-4', messages: [{ role: 'user' as const, content: 'What is 1+1?' }] };
const newton = 'Explain Newtons law';

describe('with the openai SDK', () => {
  it('answers a chat as OpenAI does, under the name the alias stands for', async () => {
    const client = await openai();
    const answer = await client.chat.completions.create(sum);
    expect(answer.model).toBe('gpt-4-0613');
    expect(answer.choices[0]?.message).toMatchObject({ role: 'assistant', content: '1+1 equals 2.' });
    expect(answer.choices[0]?.finish_reason).toBe('stop');
    expect(answer.usage).toMatchObject({ prompt_tokens: 10, completion_tokens: 3, total_tokens: 13 });
  });

  it.each(['max_tokens', 'max_completion_tokens'] as const)('stops at %s', async (limit) => {
    const client = await openai();
    const answer = await client.chat.completions.create({
      model: 'gpt-4o',
      messages: [{ role: 'user', content: newton }],
      [limit]: 50,
    });
    expect(answer.choices[0]?.finish_reason).toBe('length');
    expect(answer.usage?.completion_tokens).toBe(50);
    expect(answer.choices[0]?.message.content?.split(' ')).toHaveLength(50);
  });

  it('streams a chat and, when asked to, the usage in a last chunk without choices', async () => {
    const client = await openai();
    const stream = await client.chat.completions.create({
      ...sum,
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks = await collect(stream);
    expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')).toBe('1+1 equals 2.');
    expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe('stop');
    expect(chunks.at(-1)?.choices).toEqual([]);
    expect(chunks.at(-1)?.usage?.total_tokens).toBe(13);
    expect(chunks.slice(0, -1).every((chunk) => chunk.usage === null)).toBe(true);
  });

  it('streams no usage to a client that did not ask for it', async () => {
    const client = await openai();
    const chunks = await collect(await client.chat.completions.create({ ...sum, stream: true }));
    expect(chunks.some((chunk) => 'usage' in chunk)).toBe(false);
    expect(chunks.every((chunk) => chunk.choices.length === 1)).toBe(true);
  });

  it('calls a tool about the weather, and answers once it has its result', async () => {
    const client = await openai();
    const tools: OpenAI.Chat.ChatCompletionTool[] = [
      {
        type: 'function',
        function: {
          name: 'get_weather',
          parameters: { type: 'object', properties: { city: { type: 'string' } } },
        },
      },
    ];
    const question = { role: 'user' as const, content: 'How is the weather in Paris?' };
    const call = await client.chat.completions.create({ model: 'gpt-4o', messages: [question], tools });
    const message = call.choices[0]?.message;
    expect(call.choices[0]?.finish_reason).toBe('tool_calls');
    expect(message?.tool_calls?.[0]).toMatchObject({
      function: { name: 'get_weather', arguments: '{"city":"Paris"}' },
    });
    if (!message) throw new Error('no message');
    const result = { role: 'tool' as const, tool_call_id: message.tool_calls?.[0]?.id ?? '', content: '18' };
    const answer = await client.chat.completions.create({
      model: 'gpt-4o',
      messages: [question, message, result],
      tools,
    });
    expect(answer.choices[0]?.message.content).toContain('18 degrees');
  });

  it('streams a tool call in pieces that the SDK joins', async () => {
    const client = await openai();
    const stream = client.chat.completions.stream({
      model: 'gpt-4o',
      messages: [{ role: 'user', content: 'weather?' }],
      tools: [
        {
          type: 'function',
          function: { name: 'get_weather', parameters: { properties: { city: { type: 'string' } } } },
        },
      ],
    });
    const [choice] = (await stream.finalChatCompletion()).choices;
    expect(choice?.finish_reason).toBe('tool_calls');
    expect(choice?.message.tool_calls?.[0]).toMatchObject({
      function: { name: 'get_weather', arguments: '{"city":"Paris"}' },
    });
  });

  it('embeds texts: equal ones alike, as floats and in the base64 the SDK asks for', async () => {
    const client = await openai();
    const model = 'text-embedding-3-small';
    const both = await client.embeddings.create({ model, input: ['hello world', 'goodbye', 'hello world'] });
    const [hello, goodbye, again] = both.data.map((item) => item.embedding);
    expect(hello).toHaveLength(1536);
    expect(again).toEqual(hello);
    expect(goodbye).not.toEqual(hello);
    expect(both.usage).toEqual({ prompt_tokens: 5, total_tokens: 5 });

    const floats = await client.embeddings.create({ model, input: 'hello world', encoding_format: 'float' });
    expect(floats.data[0]?.embedding).toEqual(Array.from(hello ?? []));
    expect(Math.hypot(...(floats.data[0]?.embedding ?? []))).toBeCloseTo(1);
  });

  it('answers the Responses API, whole and cut short', async () => {
    const client = await openai();
    const whole = await client.responses.create({ model: 'gpt-4o', input: 'What is 1+1?' });
    expect(whole).toMatchObject({ status: 'completed', output_text: '1+1 equals 2.' });
    expect(whole.usage).toMatchObject({ input_tokens: 10, output_tokens: 3, total_tokens: 13 });

    const short = await client.responses.create({
      model: 'gpt-4o',
      input: [{ role: 'user', content: [{ type: 'input_text', text: newton }] }],
      max_output_tokens: 20,
    });
    expect(short).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
    });
    expect(short.usage?.output_tokens).toBe(20);
  });

  it('streams the Responses API so that the SDK can put the answer together', async () => {
    const client = await openai();
    const stream = client.responses.stream({ model: 'gpt-4o', input: 'What is 1+1?' });
    const events = await collect(stream);
    expect(events[0]?.type).toBe('response.created');
    expect(events.at(-1)?.type).toBe('response.completed');
    expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, index) => index));
    expect((await stream.finalResponse()).output_text).toBe('1+1 equals 2.');
  });

  it('lists its models', async () => {
    const client = await openai();
    const models = await collect(client.models.list());
    expect(models.map((model) => model.id)).toContain('gpt-4o');
  });

  it.each([
    ['429', OpenAI.RateLimitError],
    ['500', OpenAI.InternalServerError],
    ['503', OpenAI.InternalServerError],
    ['401', OpenAI.AuthenticationError],
    ['reset', OpenAI.APIConnectionError],
  ] as const)('fails with %s as the SDK expects', async (fail, ExpectedError) => {
    const client = await openai({ fail });
    await expect(client.chat.completions.create(sum)).rejects.toBeInstanceOf(ExpectedError);
  });

  it.each(['cut', 'error-event'] as const)('breaks a stream with %s', async (fail) => {
    const client = await openai({ fail });
    const stream = await client.chat.completions.create({ ...sum, stream: true });
    await expect(collect(stream)).rejects.toThrow();
  });

  it('refuses a chat without a model or messages in OpenAI’s words', async () => {
    const mock = await start();
    const noModel = await post(mock, '/v1/chat/completions', { messages: [] });
    const noMessages = await post(mock, '/v1/chat/completions', { model: 'gpt-4' });
    expect([noModel.status, noMessages.status]).toEqual([400, 400]);
    expect(readPath(await noMessages.json(), 'error')).toEqual({
      message: "Missing required parameter: 'messages'.",
      type: 'invalid_request_error',
      param: 'messages',
      code: null,
    });
  });
});

describe('with the Anthropic SDK', () => {
  const question = {
    model: 'claude-sonnet-4-20250514',
    max_tokens: 100,
    messages: [{ role: 'user' as const, content: 'What is 1+1?' }],
  };

  it('answers a message', async () => {
    const client = await anthropic();
    const message = await client.messages.create(question);
    expect(message).toMatchObject({
      model: question.model,
      role: 'assistant',
      content: [{ type: 'text', text: '1+1 equals 2.' }],
      stop_reason: 'end_turn',
      usage: { input_tokens: 10, output_tokens: 3 },
    });
  });

  it('streams a message, and ends it at max_tokens', async () => {
    const client = await anthropic();
    const stream = client.messages.stream({
      ...question,
      messages: [{ role: 'user', content: newton }],
      max_tokens: 7,
    });
    const pieces: string[] = [];
    stream.on('text', (piece) => pieces.push(piece));
    const message = await stream.finalMessage();
    expect(pieces).toHaveLength(7);
    expect(message).toMatchObject({ stop_reason: 'max_tokens', usage: { output_tokens: 7 } });
    expect(message.content).toMatchObject([{ type: 'text', text: pieces.join('') }]);
  });

  it('sends the events of a stream in Anthropic’s order', async () => {
    const mock = await start();
    const answer = await post(mock, '/v1/messages', { ...question, stream: true });
    const names = (await answer.text()).match(/(?<=^event: ).+/gm) ?? [];
    expect([...new Set(names)]).toEqual([
      'message_start',
      'content_block_start',
      'ping',
      'content_block_delta',
      'content_block_stop',
      'message_delta',
      'message_stop',
    ]);
  });

  it('streams a tool use whose input the SDK joins', async () => {
    const client = await anthropic();
    const stream = client.messages.stream({
      ...question,
      messages: [{ role: 'user', content: 'weather?' }],
      tools: [
        { name: 'get_weather', input_schema: { type: 'object', properties: { city: { type: 'string' } } } },
      ],
    });
    const message = await stream.finalMessage();
    expect(message.stop_reason).toBe('tool_use');
    expect(message.content).toMatchObject([
      { type: 'tool_use', name: 'get_weather', input: { city: 'Paris' } },
    ]);
  });

  it('counts tokens, the system prompt’s too', async () => {
    const client = await anthropic();
    const { model, messages } = question;
    const bare = await client.messages.countTokens({ model, messages });
    const withSystem = await client.messages.countTokens({ model, messages, system: 'Be brief' });
    expect([bare.input_tokens, withSystem.input_tokens]).toEqual([10, 16]);
  });

  it('refuses and breaks off in Anthropic’s words', async () => {
    const limited = await anthropic({ fail: '429' });
    await expect(limited.messages.create(question)).rejects.toBeInstanceOf(Anthropic.RateLimitError);
    const overloaded = await anthropic({ fail: 'error-event' });
    await expect(overloaded.messages.stream(question).finalMessage()).rejects.toThrow('overloaded_error');
  });
});

describe('faults', () => {
  it('come by query, before the header and the option', async () => {
    const mock = await start({ fail: '500' });
    const headers = { 'x-mock-fail': '503' };
    const statuses = [
      (await post(mock, '/v1/chat/completions?fail=429', sum, headers)).status,
      (await post(mock, '/v1/chat/completions', sum, headers)).status,
      (await post(mock, '/v1/chat/completions', sum)).status,
    ];
    expect(statuses).toEqual([429, 503, 500]);
  });

  it('single out one mock by its name in the header', async () => {
    const mock = await start({ name: 'local' });
    const status = async (fail: string) =>
      (await post(mock, '/v1/chat/completions', sum, { 'x-mock-fail': fail })).status;
    expect(await status('cloud=500, local=429')).toBe(429);
    expect(await status('cloud=500')).toBe(200);
  });

  it('hit every nth request, with a retry-after', async () => {
    const mock = await start({ failEvery: 3 });
    const answers = [];
    for (let n = 0; n < 6; n++) answers.push(await post(mock, '/v1/chat/completions', sum));
    expect(answers.map((answer) => answer.status)).toEqual([200, 200, 429, 200, 200, 429]);
    expect(answers[2]?.headers.get('retry-after')).toBe('1');
  });

  it('cut an answer that is no stream in its middle, too', async () => {
    const mock = await start({ fail: 'cut' });
    const answer = await post(mock, '/v1/chat/completions', sum);
    expect(answer.status).toBe(200);
    await expect(answer.text()).rejects.toThrow();
  });

  it('stall until the mock is closed', async () => {
    const mock = await startMockLlm({ fail: 'stall' });
    const stalled = post(mock, '/v1/chat/completions', sum);
    const outcome = expect(stalled).rejects.toThrow();
    while (mock.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
    await mock.close();
    await outcome;
  });

  it('are refused by name when nobody knows them', async () => {
    const mock = await start();
    const answer = await post(mock, '/v1/chat/completions?fail=4299', sum);
    expect(answer.status).toBe(400);
    expect(readPath(await answer.json(), 'error', 'message')).toContain('error-event');
  });
});

describe('the record', () => {
  it('holds what arrived, whatever it was', async () => {
    const mock = await start();
    await post(mock, '/openai/deployments/ada/embeddings?api-version=1', { input: 'x' }, { 'api-key': 'k' });
    await fetch(`${mock.url}/v1/models`);
    await fetch(mock.url, { method: 'POST', body: 'not json' });
    expect(mock.requests).toMatchObject([
      {
        method: 'POST',
        url: '/openai/deployments/ada/embeddings?api-version=1',
        headers: { 'api-key': 'k' },
        body: { input: 'x' },
      },
      { method: 'GET', url: '/v1/models', body: undefined },
      { method: 'POST', url: '/', body: 'not json' },
    ]);
  });

  it('keeps the last hundred requests', async () => {
    const mock = await start();
    for (let n = 0; n < 103; n++) await fetch(`${mock.url}/${n}`);
    expect(mock.requests).toHaveLength(100);
    expect(mock.requests[0]?.url).toBe('/3');
  });
});
