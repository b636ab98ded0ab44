import { describe, expect, it } from 'vitest';
import { bytesOf, fixtures, withoutUsageEvent } from '../answer/stream-fixtures.ts';
import { instance, post } from '../support/app.ts';
import { chatEvent, doneEvent, usageEvent } from '../support/upstream.ts';
import { ask, asking, MESSAGES, notAsking, openStream, parseWire, startStreaming } from './streaming.ts';

const chat = fixtures.filter(({ protocol }) => protocol === 'openai-chat');
const paths = {
  'openai-chat': '/v1/chat/completions',
  'anthropic-messages': '/v1/messages',
  'openai-responses': '/v1/responses',
};

/** A gateway whose upstream sends these bytes in pieces. */
async function startSending(bytes: Buffer, headers: Record<string, string> = {}) {
  return startStreaming(async (_call, res) => {
    openStream(res, headers);
    for (let at = 0; at < bytes.length; at += 97) {
      res.write(bytes.subarray(at, at + 97));
      await new Promise((resolve) => setImmediate(resolve));
    }
    res.end();
  });
}

async function textOf(app: { url: string }, body: unknown, path = paths['openai-chat']): Promise<string> {
  const response = await post(app.url + path, body);
  return response.text();
}

describe('the usage chunk', () => {
  it.each(chat)('is withheld from a client that did not ask for it: $name', async (fixture) => {
    const { app } = await startSending(bytesOf(fixture.name));
    expect(await textOf(app, notAsking)).toBe(withoutUsageEvent(fixture).toString());
  });

  it.each([
    ['said false', { include_usage: false }],
    ['said null', null],
    ['asked for something else', { include_obfuscation: false }],
  ])('is withheld from a client that %s', async (_, streamOptions) => {
    const { app } = await startSending(Buffer.from(chatEvent('Hi') + usageEvent + doneEvent));
    expect(await textOf(app, { ...notAsking, stream_options: streamOptions })).toBe(
      chatEvent('Hi') + doneEvent,
    );
  });

  it.each(chat)('is passed on to a client that asked for it: $name', async ({ name }) => {
    const { app } = await startSending(bytesOf(name));
    expect(await textOf(app, asking)).toBe(bytesOf(name).toString());
  });

  it('is withheld where the stream was the configuration’s wish', async () => {
    const { app, upstream } = await startSending(Buffer.from(chatEvent('Hi') + usageEvent + doneEvent));
    app.middleware.update({
      instances: [instance('one', upstream.url, { options: { model: 'm', stream: true } })],
    });
    expect(await textOf(app, { messages: MESSAGES })).toBe(chatEvent('Hi') + doneEvent);
  });

  it('is withheld from a stream that came with its length, and the client waits for nothing', async () => {
    const bytes = Buffer.from(chatEvent('Hi') + usageEvent + doneEvent);
    const { app } = await startSending(bytes, { 'content-length': String(bytes.length) });
    expect(await textOf(app, notAsking)).toBe(chatEvent('Hi') + doneEvent);
  });

  it('is withheld where it is all there is', async () => {
    const { app } = await startStreaming((_call, res) => {
      openStream(res, { 'content-length': String(usageEvent.length) });
      res.end(usageEvent);
    });
    const client = await ask(app, notAsking);
    const answer = parseWire(await client.until('0\r\n\r\n'));
    expect([answer.status, answer.body, answer.isTerminated]).toEqual([200, '', true]);
  });
});

describe('what the access log learns of a stream', () => {
  it.each(fixtures)('is the same whether or not the client asked: $name', async (fixture) => {
    const { app, upstream } = await startSending(bytesOf(fixture.name));
    if (fixture.protocol === 'anthropic-messages') {
      app.middleware.update({ instances: [instance('one', upstream.url, { provider: 'anthropic' })] });
    }
    await textOf(app, asking, paths[fixture.protocol]);
    await textOf(app, notAsking, paths[fixture.protocol]);
    const logged = {
      request_type: 'ai_stream',
      llm_stream: true,
      llm_outcome: 'complete',
      llm_prompt_tokens: fixture.usage.promptTokens,
      llm_completion_tokens: fixture.usage.completionTokens,
      llm_total_tokens: fixture.usage.totalTokens,
      llm_cache_read_input_tokens: fixture.usage.cacheReadInputTokens,
      llm_cache_creation_input_tokens: fixture.usage.cacheCreationInputTokens,
      llm_reasoning_tokens: fixture.usage.reasoningTokens,
      llm_has_tool_calls: fixture.hasToolCalls,
    };
    expect(await app.ended(2)).toMatchObject([logged, logged]);
  });

  it('is the text as well, when payloads are logged', async () => {
    const { app, upstream } = await startSending(bytesOf('cjk-emoji-chat'));
    app.middleware.update({ instances: [instance('one', upstream.url)], logging: { payloads: true } });
    await textOf(app, notAsking);
    const [finish] = await app.ended(1);
    expect(finish?.llm_response_text).toEqual({ content: '你好,世界👩‍👩‍👧 ça va — 𠜎' });
  });
});

describe('a stream passed through', () => {
  it('keeps every byte, and is counted where it reports usage as OpenAI does', async () => {
    const text = `data: {"choices":[{"text":"Hi"}]}\n\n${usageEvent}${doneEvent}`;
    const { app } = await startSending(Buffer.from(text));
    expect(await textOf(app, { prompt: 'Hi', stream: true }, '/v1/completions')).toBe(text);
    expect(await app.ended(1)).toMatchObject([{ llm_total_tokens: 31, request_type: 'ai_stream' }]);
  });
});
