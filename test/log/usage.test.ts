import { describe, expect, it } from 'vitest';
import { post } from '../support/app.ts';
import type { Script } from '../support/upstream.ts';
import * as answers from './answers.ts';
import { answerWith, observe, streamWith } from './observe.ts';

const messages = [{ role: 'user', content: 'Hi' }];
const anthropic = { provider: 'anthropic', options: { model: 'claude' } } as const;
type Fields = Parameters<typeof observe>[1];

/** The variables of one request, read to its end. */
async function variablesOf(script: Script, path: string, body: object, fields: Fields = {}) {
  const { app, first } = await observe(script, fields);
  await (await post(`${app.url}${path}`, body)).text();
  return first;
}

const none = {
  llm_prompt_tokens: 0,
  llm_completion_tokens: 0,
  llm_total_tokens: 0,
  llm_cache_read_input_tokens: 0,
  llm_cache_creation_input_tokens: 0,
  llm_reasoning_tokens: 0,
};

describe('tokens, cached and reasoning ones included', () => {
  it.each<[string, Script, object]>([
    ["OpenAI's plain answer", answerWith(answers.chat()), answers.openaiCounts],
    ["OpenAI's stream", streamWith(answers.chatEvents()), answers.openaiCounts],
    ["DeepSeek's plain answer", answerWith(answers.chat(answers.deepseekUsage)), answers.deepseekCounts],
    ["DeepSeek's stream", streamWith(answers.deepseekEvents), answers.deepseekCounts],
  ])('are read from %s', async (_title, script, expected) => {
    const body = { messages, stream: true };
    expect(await variablesOf(script, '/', body)).toMatchObject(expected);
  });

  it.each<[string, Script]>([
    ['plain answer', answerWith(answers.message)],
    ['stream, whose start and end each tell a part', streamWith(answers.messageEvents)],
  ])("are read from Anthropic's %s", async (_title, script) => {
    const body = { messages, max_tokens: 9, stream: true };
    const variables = await variablesOf(script, '/v1/messages', body, { instance: anthropic });
    expect(variables).toMatchObject(answers.anthropicCounts);
  });

  it.each<[string, Script]>([
    ['plain answer', answerWith(answers.response)],
    ['stream', streamWith(answers.responseEvents)],
  ])("are read from a %s of OpenAI's Responses API", async (_title, script) => {
    const body = { input: 'Hi', stream: true };
    expect(await variablesOf(script, '/v1/responses', body)).toMatchObject(answers.responsesCounts);
  });

  it("reads DeepSeek's older usage, which has its cache hits outside the details", async () => {
    const { prompt_tokens_details: _, ...usage } = answers.deepseekUsage;
    const variables = await variablesOf(answerWith(answers.chat(usage)), '/', { messages });
    expect(variables).toMatchObject(answers.deepseekCounts);
  });

  it('adds up a total that the LLM leaves out', async () => {
    const usage = { prompt_tokens: 3, completion_tokens: 4 };
    const variables = await variablesOf(answerWith(answers.chat(usage)), '/', { messages });
    expect(variables).toMatchObject({ llm_prompt_tokens: 3, llm_completion_tokens: 4, llm_total_tokens: 7 });
  });

  it.each<[string, unknown]>([
    ['no usage', { choices: [] }],
    ['usage that is null', { ...answers.chat(), usage: null }],
    ['usage that is a text', { ...answers.chat(), usage: '12' }],
    [
      'counts that are texts',
      answers.chat({ prompt_tokens: '1', completion_tokens: '2', total_tokens: '3' }),
    ],
    ['counts below 0', answers.chat({ prompt_tokens: -1, completion_tokens: -2, total_tokens: -3 })],
    ['details that are null', answers.chat({ prompt_tokens_details: null, completion_tokens_details: null })],
    ['an array', [answers.chat()]],
  ])('are 0 where the LLM reports %s', async (_title, answer) => {
    expect(await variablesOf(answerWith(answer), '/', { messages })).toMatchObject(none);
  });

  it('are read from an answer too long to be parsed whole', async () => {
    const answer = {
      ...answers.embeddings,
      data: Array.from({ length: 50_000 }, () => ({ embedding: [0.5] })),
    };
    const variables = await variablesOf(answerWith(answer), '/v1/embeddings', { input: 'Hi' });
    expect(variables).toMatchObject({ llm_prompt_tokens: 5, llm_total_tokens: 5 });
  });

  it('are read from the stream of a client that did not ask for usage, and the chunk stays with us', async () => {
    const { app, first } = await observe(streamWith(answers.chatEvents()));
    const text = await (await post(app.url, { messages, stream: true })).text();
    expect(text).not.toContain('prompt_tokens');
    expect(await first).toMatchObject(answers.openaiCounts);
  });
});

describe('tool calls in the answer', () => {
  it.each<[string, Script, string, Fields]>([
    ['a chat', answerWith(answers.chatToolCall), '/', {}],
    ['the stream of a chat', streamWith(answers.chatToolCallEvents), '/', {}],
    ['a message', answerWith(answers.messageToolCall), '/v1/messages', { instance: anthropic }],
    [
      'the stream of a message',
      streamWith(answers.messageToolCallEvents),
      '/v1/messages',
      { instance: anthropic },
    ],
    ['a response', answerWith(answers.responseToolCall), '/v1/responses', {}],
    ['the stream of a response', streamWith(answers.responseToolCallEvents), '/v1/responses', {}],
  ])('set llm_has_tool_calls: %s', async (_title, script, path, fields) => {
    const body = path === '/v1/responses' ? { input: 'Hi', stream: true } : { messages, stream: true };
    expect(await variablesOf(script, path, body, fields)).toMatchObject({ llm_has_tool_calls: true });
  });

  it.each<[string, Script, string]>([
    ['a chat without any', answerWith(answers.chat()), '/'],
    ['a stream without any', streamWith(answers.chatEvents()), '/'],
    [
      'an empty list of them',
      answerWith({ choices: [{ index: 0, message: { content: 'Hi', tool_calls: [] } }] }),
      '/',
    ],
    [
      'a text that speaks of them',
      answerWith({ choices: [{ index: 0, message: { content: 'use "tool_calls":[{}] and "tool_use"' } }] }),
      '/',
    ],
    ['a response without any', answerWith(answers.response), '/v1/responses'],
  ])('leave llm_has_tool_calls false: %s', async (_title, script, path) => {
    const body = path === '/v1/responses' ? { input: 'Hi' } : { messages, stream: true };
    expect(await variablesOf(script, path, body)).toMatchObject({ llm_has_tool_calls: false });
  });
});
