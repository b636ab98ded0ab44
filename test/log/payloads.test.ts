import { llmVariables } from 'ai-proxy-multi';
import { describe, expect, it } from 'vitest';
import { post } from '../support/app.ts';
import { chatEvent, doneEvent, type Script } from '../support/upstream.ts';
import * as answers from './answers.ts';
import { answerWith, type ObservedOptions, observe, streamWith } from './observe.ts';

const messages = [{ role: 'user', content: 'Hi' }];
const summaries = { config: { logging: { summaries: true } } };
const payloads = { config: { logging: { payloads: true } } };
const anthropic = { instance: { provider: 'anthropic', options: { model: 'claude' } } } as const;

async function variablesOf(script: Script, body: object, options: ObservedOptions, path = '/') {
  const { app, first } = await observe(script, options);
  await (await post(`${app.url}${path}`, body)).text();
  return first;
}

describe('logging.summaries and logging.payloads', () => {
  it('are off unless asked for', async () => {
    const variables = await variablesOf(answerWith(answers.chat()), { messages }, {});
    for (const name of ['llm_summary', 'llm_request', 'llm_response_text']) {
      expect(variables).not.toHaveProperty(name);
      expect(llmVariables({ locals: variables })).not.toHaveProperty(name);
    }
  });

  it('are independent of each other', async () => {
    const summary = await variablesOf(answerWith(answers.chat()), { messages }, summaries);
    expect(Object.keys(summary)).toContain('llm_summary');
    expect(Object.keys(summary)).not.toContain('llm_request');
    const payload = await variablesOf(answerWith(answers.chat()), { messages }, payloads);
    expect(Object.keys(payload)).toEqual(expect.arrayContaining(['llm_request', 'llm_response_text']));
    expect(Object.keys(payload)).not.toContain('llm_summary');
  });
});

describe('llm_summary', () => {
  it('says what the variables say, as one object', async () => {
    const body = { messages, model: 'mine', user: 'ann', tools: [{}, {}], stream: true };
    const variables = await variablesOf(streamWith(answers.chatEvents()), body, summaries);
    expect(variables.llm_summary).toEqual({
      request_model: 'mine',
      model: 'gpt-4o',
      duration: variables.llm_time_to_first_token,
      upstream_response_time: variables.llm_upstream_response_time,
      prompt_tokens: 2006,
      completion_tokens: 300,
      total_tokens: 2306,
      stream: true,
      tool_count: 2,
      has_tool_calls: false,
      end_user_id: 'ann',
      cache_read_input_tokens: 1920,
      cache_creation_input_tokens: 0,
      reasoning_tokens: 192,
    });
  });

  it('is there for a request that is refused', async () => {
    const { app, first } = await observe(answerWith({}), summaries);
    await post(app.url, 'no json');
    expect((await first).llm_summary).toMatchObject({ request_model: '', model: '', total_tokens: 0 });
  });
});

describe('llm_request', () => {
  it.each<[string, object, string, unknown]>([
    ["a chat's messages", { messages, stream: true }, '/', { messages, stream: true }],
    ['whether it was a stream', { messages }, '/', { messages, stream: false }],
    [
      "an embedding's input",
      { input: ['a', 'b'] },
      '/v1/embeddings',
      { messages: ['a', 'b'], stream: false },
    ],
    ["a response's input", { input: 'Hi' }, '/v1/responses', { messages: 'Hi', stream: false }],
  ])('holds %s', async (_title, body, path, expected) => {
    const variables = await variablesOf(answerWith(answers.chat()), body, payloads, path);
    expect(variables.llm_request).toEqual(expected);
  });

  it('holds what the client sent, not what the instance made of it', async () => {
    const options = { ...payloads, instance: { options: { model: 'm', messages: [] } } };
    const variables = await variablesOf(answerWith(answers.chat()), { messages }, options);
    expect(variables.llm_request).toEqual({ messages, stream: false });
  });
});

describe('llm_response_text', () => {
  it.each<[string, Script, object, string, ObservedOptions]>([
    ['a plain chat', answerWith(answers.chat()), { messages }, '/', {}],
    ['a streamed chat', streamWith(answers.chatEvents()), { messages, stream: true }, '/', {}],
    ['a plain message', answerWith(answers.message), { messages }, '/v1/messages', anthropic],
    [
      'a streamed message',
      streamWith(answers.messageEvents),
      { messages, stream: true },
      '/v1/messages',
      anthropic,
    ],
    ['a plain response', answerWith(answers.response), { input: 'Hi' }, '/v1/responses', {}],
    [
      'a streamed response',
      streamWith(answers.responseEvents),
      { input: 'Hi', stream: true },
      '/v1/responses',
      {},
    ],
  ])('is the text of %s', async (_title, script, body, path, options) => {
    const variables = await variablesOf(script, body, { ...payloads, ...options }, path);
    expect(variables.llm_response_text).toEqual({ content: 'Hi you.' });
  });

  it('is empty where nothing was generated', async () => {
    const variables = await variablesOf(
      answerWith({ error: { message: 'no' } }, 500),
      { messages },
      payloads,
    );
    expect(variables.llm_response_text).toEqual({ content: '' });
  });

  it('is what came before a stream was cut', async () => {
    const { app, first } = await observe((_call, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write(chatEvent('so far'), () => res.destroy());
    }, payloads);
    const read = post(app.url, { messages, stream: true }).then((response) => response.text());
    await expect(read).rejects.toThrow();
    expect(await first).toMatchObject({ llm_outcome: 'cut', llm_response_text: { content: 'so far' } });
  });

  it('is whole where events and characters are cut across chunks', async () => {
    const bytes = Buffer.from(chatEvent('Größe 你好 👋') + doneEvent);
    const script: Script = async (_call, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const byte of bytes) await new Promise((sent) => res.write(Buffer.of(byte), sent));
      res.end();
    };
    const variables = await variablesOf(script, { messages, stream: true }, payloads);
    expect(variables.llm_response_text).toEqual({ content: 'Größe 你好 👋' });
  });

  it.each<[string, (pieces: string[]) => Script]>([
    ['a stream', (pieces) => streamWith([...pieces.map((piece) => chatEvent(piece)), doneEvent].join(''))],
    ['an answer', (pieces) => answerWith({ choices: [{ index: 0, message: { content: pieces.join('') } }] })],
  ])('is bounded, however long %s gets', async (_title, scriptFor) => {
    const pieces = Array.from({ length: 300 }, () => 'x'.repeat(5 * 1024));
    const { llm_response_text: text } = await variablesOf(
      scriptFor(pieces),
      { messages, stream: true },
      payloads,
    );
    expect(text).toEqual({ content: 'x'.repeat(1024 * 1024) });
  });
});
