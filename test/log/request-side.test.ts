import { describe, expect, it } from 'vitest';
import { instance, post } from '../support/app.ts';
import { answerJson, startUpstream } from '../support/upstream.ts';
import * as answers from './answers.ts';
import { answerWith, type ObservedOptions, observe, streamWith } from './observe.ts';

const messages = [{ role: 'user', content: 'Hi' }];

async function variablesOf(body: object, path = '/', options: ObservedOptions = {}) {
  const { app, first } = await observe(answerWith(answers.chat()), options);
  await (await post(`${app.url}${path}`, body)).text();
  return first;
}

describe('request_llm_model and llm_model', () => {
  it('are what the client asked for and what the instance is configured for', async () => {
    expect(await variablesOf({ messages, model: 'gpt-3.5-turbo' })).toMatchObject({
      request_llm_model: 'gpt-3.5-turbo',
      llm_model: 'gpt-4o',
    });
  });

  it('are the same where the instance has no model of its own', async () => {
    const variables = await variablesOf({ messages, model: 'gpt-3.5-turbo' }, '/', {
      instance: { options: {} },
    });
    expect(variables).toMatchObject({ request_llm_model: 'gpt-3.5-turbo', llm_model: 'gpt-3.5-turbo' });
  });

  it('are empty where nobody names one, or the client names none that is a text', async () => {
    const expected = { request_llm_model: '', llm_model: '' };
    expect(await variablesOf({ messages }, '/', { instance: { options: {} } })).toMatchObject(expected);
    expect(await variablesOf({ messages, model: 7 }, '/', { instance: { options: {} } })).toMatchObject(
      expected,
    );
  });

  it("are the last instance's after a fallback", async () => {
    const failing = await startUpstream((_call, res) => answerJson(res, 500, {}));
    const config = {
      fallback_strategy: ['http_5xx' as const],
      instances: ['a', 'b'].map((name) => instance(name, failing.url)),
    };
    expect(await variablesOf({ messages, model: 'mine' }, '/', { config })).toMatchObject({
      request_llm_model: 'mine',
      llm_model: 'model-b',
      llm_instance: 'b',
      llm_attempts: [
        { instance: 'a', status: 500 },
        { instance: 'b', status: 500 },
      ],
    });
  });
});

describe('llm_end_user_id', () => {
  it.each<[string, object, string, string]>([
    ['user of a chat', { messages, user: 'u-1' }, '/', 'u-1'],
    ['safety_identifier of a chat', { messages, safety_identifier: 's-1' }, '/', 's-1'],
    ['safety_identifier, which replaces user', { messages, user: 'u', safety_identifier: 's' }, '/', 's'],
    ['user of embeddings', { input: 'Hi', user: 'u-1' }, '/v1/embeddings', 'u-1'],
    ['safety_identifier of a response', { input: 'Hi', safety_identifier: 's-1' }, '/v1/responses', 's-1'],
    ['user of a response', { input: 'Hi', user: 'u-1' }, '/v1/responses', 'u-1'],
    ['metadata.user_id of a message', { messages, metadata: { user_id: 'm-1' } }, '/v1/messages', 'm-1'],
    ['nobody', { messages }, '/', ''],
    ['a user that is no text', { messages, user: { id: 1 } }, '/', ''],
    ['a user too long to be one', { messages, user: 'u'.repeat(70_000) }, '/', ''],
    ['metadata that is no object', { messages, metadata: 'm' }, '/v1/messages', ''],
  ])('is %s', async (_title, body, path, expected) => {
    const fields = path === '/v1/messages' ? ({ provider: 'anthropic' } as const) : {};
    const variables = await variablesOf(body, path, { instance: fields });
    expect(variables).toMatchObject({ llm_outcome: 'complete', llm_end_user_id: expected });
  });

  it('is there for a request that fails too', async () => {
    const { app, upstream, first } = await observe(answerWith({}));
    await upstream.close();
    await post(app.url, { messages, user: 'u-1', model: 'mine', tools: [{}] });
    expect(await first).toMatchObject({
      llm_end_user_id: 'u-1',
      request_llm_model: 'mine',
      llm_tool_count: 1,
      llm_outcome: 'rejected',
    });
  });
});

describe('llm_tool_count', () => {
  const tool = { type: 'function', function: { name: 'weather', parameters: {} } };
  it.each<[string, object, number]>([
    ['without tools', { messages }, 0],
    ['with an empty list', { messages, tools: [] }, 0],
    ['with two', { messages, tools: [tool, tool] }, 2],
    ['with tools that are no list', { messages, tools: { weather: tool } }, 0],
  ])('counts what the client offers: %s', async (_title, body, expected) => {
    expect(await variablesOf(body)).toMatchObject({ llm_tool_count: expected, llm_has_tool_calls: false });
  });
});

describe('request_type and llm_stream', () => {
  it('go by the body that was sent, which the instance may have changed', async () => {
    const streaming = { instance: { options: { model: 'm', stream: true } } };
    const { app, first } = await observe(streamWith(answers.chatEvents()), streaming);
    await (await post(app.url, { messages })).text();
    expect(await first).toMatchObject({ request_type: 'ai_stream', llm_stream: true });
    const plain = { instance: { options: { model: 'm', stream: false } } };
    expect(await variablesOf({ messages, stream: true }, '/', plain)).toMatchObject({
      request_type: 'ai_chat',
      llm_stream: false,
    });
  });

  it('say stream of a stream that failed before it began', async () => {
    const { app, first } = await observe(answerWith({ error: {} }, 500));
    await (await post(app.url, { messages, stream: true })).text();
    expect(await first).toMatchObject({
      request_type: 'ai_stream',
      llm_stream: true,
      llm_outcome: 'complete',
    });
  });

  it('do not take embeddings for a stream', async () => {
    expect(await variablesOf({ input: 'Hi', stream: true }, '/v1/embeddings')).toMatchObject({
      request_type: 'ai_chat',
      llm_stream: false,
    });
  });
});
