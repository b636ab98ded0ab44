import { describe, expect, it } from 'vitest';
import { readPath } from '../../examples/read-path.ts';
import { CALLERS_KEY, collect, inOrder, openaiInstance, startClients, startMock } from './clients.ts';

const question = [{ role: 'user' as const, content: 'What is 1+1?' }];
const ANSWER = '1+1 equals 2.';

const weatherTool = {
  type: 'function' as const,
  function: {
    name: 'get_weather',
    description: 'The weather in a city',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
};
const weather = {
  model: 'gpt-4o',
  messages: [{ role: 'user' as const, content: 'How is the weather in Paris?' }],
  tools: [weatherTool],
};

async function start() {
  const mock = await startMock();
  return { mock, ...(await startClients({ instances: [openaiInstance('a', mock.url)] })) };
}

describe('the official openai SDK asks for a chat completion', () => {
  it('and gets it, with its usage', async () => {
    const { openai } = await start();
    const completion = await openai.chat.completions.create({ model: 'gpt-4o', messages: question });
    expect(completion.choices[0]?.message.content).toBe(ANSWER);
    expect(completion.model).toBe('gpt-4o');
    expect(completion.usage?.total_tokens).toBe(13);
  });

  it("and its own key stays in the host application, like the SDK's authorization header", async () => {
    const { openai, mock } = await start();
    await openai.chat.completions.create({ model: 'gpt-4o', messages: question });
    expect(mock.requests[0]?.headers.authorization).toBe('Bearer key-a');
    expect(JSON.stringify(mock.requests)).not.toContain(CALLERS_KEY);
  });

  it("and can name the LLM's request id", async () => {
    const { openai } = await start();
    const completion = await openai.chat.completions.create({ model: 'gpt-4o', messages: question });
    expect(completion._request_id).toMatch(/^req_/);
  });

  it('and gets a tool call, and the answer once it has sent the result of the tool', async () => {
    const { openai, finished } = await start();
    const first = await openai.chat.completions.create(weather);
    const message = first.choices[0]?.message;
    const call = message?.tool_calls?.[0];
    if (message === undefined || call?.type !== 'function') throw new Error('No tool was called');
    expect(call.function).toEqual({ name: 'get_weather', arguments: '{"city":"Paris"}' });
    const second = await openai.chat.completions.create({
      ...weather,
      messages: [...weather.messages, message, { role: 'tool', tool_call_id: call.id, content: '18' }],
    });
    expect(second.choices[0]?.message.content).toContain('18 degrees');
    expect(finished.map((variables) => variables.llm_has_tool_calls)).toEqual([true, false]);
  });

  it('and gets it from the next instance when the first one is overloaded', async () => {
    const [overloaded, working] = [await startMock({ fail: '503' }), await startMock()];
    const { openai } = await startClients({
      fallback_strategy: ['http_5xx'],
      instances: inOrder(
        openaiInstance('overloaded', overloaded.url),
        openaiInstance('working', working.url),
      ),
    });
    const completion = await openai.chat.completions.create({ model: 'gpt-4o', messages: question });
    expect(completion.choices[0]?.message.content).toBe(ANSWER);
    expect(overloaded.requests).toHaveLength(1);
  });
});

describe('the official openai SDK asks for a stream', () => {
  it('and gets the whole text, and a finish reason', async () => {
    const { openai } = await start();
    const stream = await openai.chat.completions.create({
      model: 'gpt-4o',
      messages: question,
      stream: true,
    });
    let text = '';
    let finishReason: string | null | undefined;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? '';
      finishReason = chunk.choices[0]?.finish_reason;
    }
    expect([text, finishReason]).toEqual([ANSWER, 'stop']);
  });

  it('and never sees a chunk without a choice, nor usage, when it did not ask for usage', async () => {
    const { openai, mock, ended } = await start();
    const stream = await openai.chat.completions.create({
      model: 'gpt-4o',
      messages: question,
      stream: true,
    });
    let text = '';
    for await (const chunk of stream) {
      const [choice] = chunk.choices;
      // What loops in the wild do; it throws on an empty list.
      if (choice === undefined) throw new Error('A chunk without a choice');
      text += choice.delta.content ?? '';
      expect(chunk.usage ?? null).toBeNull();
    }
    expect(text).toBe(ANSWER);
    expect(readPath(mock.requests[0]?.body, 'stream_options')).toEqual({ include_usage: true });
    expect(await ended(1)).toMatchObject([{ llm_total_tokens: 13, llm_stream: true }]);
  });

  it('and sees no usage either when it said so', async () => {
    const { openai, ended } = await start();
    const stream = await openai.chat.completions.create({
      model: 'gpt-4o',
      messages: question,
      stream: true,
      stream_options: { include_usage: false },
    });
    for await (const chunk of stream) expect(chunk.choices).toHaveLength(1);
    expect(await ended(1)).toMatchObject([{ llm_total_tokens: 13 }]);
  });

  it('and gets usage in the last chunk when it asked for it', async () => {
    const { openai } = await start();
    const stream = await openai.chat.completions.create({
      model: 'gpt-4o',
      messages: question,
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks = await collect(stream);
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 13 } });
    expect(chunks.slice(0, -1).every((chunk) => chunk.choices.length === 1)).toBe(true);
  });

  it('and puts the pieces of a tool call together', async () => {
    const { openai, ended } = await start();
    const stream = await openai.chat.completions.create({ ...weather, stream: true });
    const call = { name: '', arguments: '' };
    for await (const chunk of stream) {
      const piece = chunk.choices[0]?.delta.tool_calls?.[0]?.function;
      call.name += piece?.name ?? '';
      call.arguments += piece?.arguments ?? '';
    }
    expect(call).toEqual({ name: 'get_weather', arguments: '{"city":"Paris"}' });
    expect(await ended(1)).toMatchObject([{ llm_has_tool_calls: true, llm_tool_count: 1 }]);
  });

  it("and its own stream helper and tool runner work as they do against OpenAI's servers", async () => {
    const { openai } = await start();
    const helper = openai.chat.completions.stream({ model: 'gpt-4o', messages: question });
    expect(await helper.finalContent()).toBe(ANSWER);
    const runner = openai.chat.completions.runTools({
      ...weather,
      stream: true,
      tools: [
        {
          type: 'function',
          function: { ...weatherTool.function, function: () => '18 degrees' },
        },
      ],
    });
    expect(await runner.finalContent()).toContain('18 degrees');
  });

  it('and gets a whole one from the next instance when the first one begins with an error', async () => {
    const [erring, working] = [await startMock({ fail: 'error-event' }), await startMock()];
    const { openai, ended } = await startClients({
      fallback_strategy: ['http_5xx'],
      instances: inOrder(openaiInstance('erring', erring.url), openaiInstance('working', working.url)),
    });
    const helper = openai.chat.completions.stream({ model: 'gpt-4o', messages: question });
    expect(await helper.finalContent()).toBe(ANSWER);
    expect(await ended(1)).toMatchObject([
      {
        llm_attempts: [
          { instance: 'erring', status: 500 },
          { instance: 'working', status: 200 },
        ],
      },
    ]);
  });
});
