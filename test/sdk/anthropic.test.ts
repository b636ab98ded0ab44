import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import Anthropic from '@anthropic-ai/sdk';
import { describe, expect, it } from 'vitest';
import { answerJson, echoModel, type Script, startUpstream } from '../support/upstream.ts';
import {
  anthropicInstance,
  CALLERS_KEY,
  collect,
  inOrder,
  openaiInstance,
  rejection,
  startClients,
  startMock,
} from './clients.ts';

const question = {
  model: 'claude-sonnet-4-20250514',
  max_tokens: 100,
  messages: [{ role: 'user' as const, content: 'What is 1+1?' }],
};
const ANSWER = '1+1 equals 2.';

const weather = {
  ...question,
  messages: [{ role: 'user' as const, content: 'How is the weather in Paris?' }],
  tools: [
    {
      name: 'get_weather',
      input_schema: { type: 'object' as const, properties: { city: { type: 'string' } } },
    },
  ],
};

const messageStart = `event: message_start
data: ${JSON.stringify({
  type: 'message_start',
  message: { role: 'assistant', content: [], usage: { input_tokens: 7, output_tokens: 1 } },
})}

`;

async function start() {
  const mock = await startMock();
  return { mock, ...(await startClients({ instances: [anthropicInstance('a', mock.url)] })) };
}

async function startWith(script: Script, more: { timeout?: number } = {}) {
  const llm = await startUpstream(script);
  return { llm, ...(await startClients({ ...more, instances: [anthropicInstance('a', llm.url)] })) };
}

describe('the official Anthropic SDK asks for a message', () => {
  it('and gets it, with its usage', async () => {
    const { anthropic, ended } = await start();
    const message = await anthropic.messages.create(question);
    expect(message.content).toMatchObject([{ type: 'text', text: ANSWER }]);
    expect(message.stop_reason).toBe('end_turn');
    expect(await ended(1)).toMatchObject([
      { llm_prompt_tokens: message.usage.input_tokens, llm_completion_tokens: 3 },
    ]);
  });

  it('and its own key stays in the host application', async () => {
    const { anthropic, mock } = await start();
    await anthropic.messages.create(question);
    expect(mock.requests[0]?.headers).toMatchObject({
      'x-api-key': 'key-a',
      'anthropic-version': expect.any(String),
    });
    expect(JSON.stringify(mock.requests)).not.toContain(CALLERS_KEY);
  });

  it('and gets the use of a tool', async () => {
    const { anthropic, ended } = await start();
    const message = await anthropic.messages.create(weather);
    expect(message.stop_reason).toBe('tool_use');
    expect(message.content).toMatchObject([
      { type: 'tool_use', name: 'get_weather', input: { city: 'Paris' } },
    ]);
    expect(await ended(1)).toMatchObject([{ llm_has_tool_calls: true, llm_tool_count: 1 }]);
  });

  it('and has its tokens counted, which the gateway passes through', async () => {
    const { anthropic, mock } = await start();
    const { max_tokens: _, ...countable } = question;
    expect((await anthropic.messages.countTokens(countable)).input_tokens).toBeGreaterThan(0);
    expect(mock.requests[0]?.url).toBe('/v1/messages/count_tokens');
  });
});

describe('the official Anthropic SDK asks for a stream', () => {
  it('and gets every event of it', async () => {
    const { anthropic } = await start();
    const events = await collect(await anthropic.messages.create({ ...question, stream: true }));
    const deltas = events.flatMap((event) =>
      event.type === 'content_block_delta' && event.delta.type === 'text_delta' ? [event.delta.text] : [],
    );
    expect(deltas.join('')).toBe(ANSWER);
    expect(events.at(0)?.type).toBe('message_start');
    expect(events.at(-1)?.type).toBe('message_stop');
  });

  it('and its own stream helper ends with the whole message and its usage', async () => {
    const { anthropic, ended } = await start();
    const message = await anthropic.messages.stream(question).finalMessage();
    expect(message.content).toMatchObject([{ type: 'text', text: ANSWER }]);
    expect(message.usage.output_tokens).toBe(3);
    expect(await ended(1)).toMatchObject([
      { llm_prompt_tokens: message.usage.input_tokens, llm_completion_tokens: 3, llm_stream: true },
    ]);
  });

  it('and puts the input of a tool together', async () => {
    const { anthropic, ended } = await start();
    const message = await anthropic.messages.stream(weather).finalMessage();
    expect(message.content).toMatchObject([{ type: 'tool_use', input: { city: 'Paris' } }]);
    expect(await ended(1)).toMatchObject([{ llm_has_tool_calls: true }]);
  });

  it('and gets a whole one from the next instance when the first one begins with overloaded_error', async () => {
    const [overloaded, working] = [await startMock({ fail: 'error-event' }), await startMock()];
    const { anthropic, ended } = await startClients({
      fallback_strategy: ['http_5xx'],
      instances: inOrder(
        anthropicInstance('overloaded', overloaded.url),
        anthropicInstance('working', working.url),
      ),
    });
    expect(await anthropic.messages.stream(question).finalText()).toBe(ANSWER);
    expect(await ended(1)).toMatchObject([
      {
        llm_attempts: [
          { instance: 'overloaded', status: 529 },
          { instance: 'working', status: 200 },
        ],
      },
    ]);
  });

  it('and skips an instance that does not speak its protocol', async () => {
    const [other, working] = [await startMock(), await startMock()];
    const { anthropic } = await startClients({
      instances: inOrder(openaiInstance('other', other.url), anthropicInstance('working', working.url)),
    });
    expect(await anthropic.messages.stream(question).finalText()).toBe(ANSWER);
    expect(other.requests).toEqual([]);
  });

  it('and throws, with our code, when it is cut between two events', async () => {
    const { anthropic } = await startWith((_call, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write(messageStart, () => res.destroy());
    });
    const thrown = await rejection(anthropic.messages.stream(question).finalMessage());
    expect(thrown).toBeInstanceOf(Anthropic.APIError);
    expect(thrown).toMatchObject({ error: { type: 'error', error: { code: 'upstream_stream_cut' } } });
  });

  it('and throws when it is cut within an event', async () => {
    const { anthropic, ended } = await startWith((_call, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write(`${messageStart}event: content_block_start\ndata: {"type":"cont`, () => res.destroy());
    });
    // The SDK says so on the console, too.
    const silent = anthropic.withOptions({ logLevel: 'off' });
    const thrown = await rejection(silent.messages.stream(question).finalMessage());
    expect(thrown).toBeInstanceOf(Anthropic.AnthropicError);
    expect(await ended(1)).toMatchObject([{ llm_outcome: 'cut' }]);
  });

  it('and aborts it, which reaches the LLM', async () => {
    let answering: ServerResponse | undefined;
    const { anthropic, ended } = await startWith((_call, res) => {
      answering = res;
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write(messageStart);
    });
    const stream = await anthropic.messages.create({ ...question, stream: true });
    for await (const event of stream) {
      expect(event.type).toBe('message_start');
      stream.controller.abort();
    }
    if (answering?.closed === false) await once(answering, 'close');
    expect(answering?.writableFinished).toBe(false);
    expect(await ended(1)).toMatchObject([{ llm_outcome: 'client_gone', llm_prompt_tokens: 7 }]);
  });
});

describe('the official Anthropic SDK throws its own error class', () => {
  it.each([
    [400, 'invalid_request_error', Anthropic.BadRequestError],
    [401, 'authentication_error', Anthropic.AuthenticationError],
    [403, 'permission_error', Anthropic.PermissionDeniedError],
    [404, 'not_found_error', Anthropic.NotFoundError],
    [429, 'rate_limit_error', Anthropic.RateLimitError],
    [500, 'api_error', Anthropic.InternalServerError],
    [529, 'overloaded_error', Anthropic.InternalServerError],
  ])("for an LLM's %i, with what the LLM said", async (status, type, ErrorClass) => {
    const body = { type: 'error', error: { type, message: 'the LLM says no' } };
    const { anthropic } = await startWith((_call, res) =>
      answerJson(res, status, body, { 'x-should-retry': 'false', 'request-id': 'req_7' }),
    );
    const thrown = await rejection(anthropic.messages.create(question));
    expect(thrown).toBeInstanceOf(ErrorClass);
    expect(thrown).toMatchObject({ status, error: body, requestID: 'req_7' });
  });

  it.each([
    ['an LLM that is not there', 502, 'upstream_unreachable', 'api_error'],
    ['an LLM that does not answer in time', 504, 'upstream_timeout', 'timeout_error'],
  ])("for %s, in Anthropic's own shape and with our code", async (what, status, code, type) => {
    const { anthropic, llm } = await startWith(() => {}, { timeout: 80 });
    if (what.endsWith('there')) await llm.close();
    const thrown = await rejection(anthropic.messages.create(question, { maxRetries: 0 }));
    expect(thrown).toBeInstanceOf(Anthropic.InternalServerError);
    expect(thrown).toMatchObject({ status, error: { type: 'error', error: { type, code } } });
  });

  it('for instances of which none speaks its protocol', async () => {
    const llm = await startUpstream(echoModel());
    const { anthropic } = await startClients({ instances: [openaiInstance('a', llm.url)] });
    const thrown = await rejection(anthropic.messages.create(question));
    expect(thrown).toBeInstanceOf(Anthropic.BadRequestError);
    expect(thrown).toMatchObject({
      error: { type: 'error', error: { type: 'invalid_request_error', code: 'protocol_not_supported' } },
    });
  });

  it('once, and asks nobody again, when every instance has been tried', async () => {
    const failing: Script = (_call, res) =>
      answerJson(res, 529, { type: 'error', error: { type: 'overloaded_error', message: 'busy' } });
    const [first, second] = [await startUpstream(failing), await startUpstream(failing)];
    const { anthropic } = await startClients({
      fallback_strategy: ['http_5xx'],
      instances: [anthropicInstance('first', first.url), anthropicInstance('second', second.url)],
    });
    expect(await rejection(anthropic.messages.create(question))).toMatchObject({ status: 529 });
    expect([first.calls.length, second.calls.length]).toEqual([1, 1]);
  });
});
