import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { answerJson, chatEvent, echoModel, type Script, startUpstream } from '../support/upstream.ts';
import { collect, inOrder, openaiInstance, rejection, startClients } from './clients.ts';

const question = { model: 'gpt-4o', messages: [{ role: 'user' as const, content: 'Hi' }] };

/** Lets the SDK try again at once instead of after half a second. */
const AT_ONCE = { 'retry-after-ms': '1' };

async function startWith(script: Script, more: { timeout?: number } = {}) {
  const llm = await startUpstream(script);
  return { llm, ...(await startClients({ ...more, instances: [openaiInstance('a', llm.url)] })) };
}

describe('the official openai SDK throws its own error class', () => {
  it.each([
    [400, OpenAI.BadRequestError],
    [401, OpenAI.AuthenticationError],
    [403, OpenAI.PermissionDeniedError],
    [404, OpenAI.NotFoundError],
    [409, OpenAI.ConflictError],
    [422, OpenAI.UnprocessableEntityError],
    [429, OpenAI.RateLimitError],
    [500, OpenAI.InternalServerError],
    [503, OpenAI.InternalServerError],
  ])("for an LLM's %i, with what the LLM said", async (status, ErrorClass) => {
    const error = { message: 'the LLM says no', type: 'some_type', param: 'model', code: 'some_code' };
    const { openai } = await startWith((_call, res) =>
      answerJson(res, status, { error }, { 'x-request-id': 'req_7', 'x-should-retry': 'false' }),
    );
    const thrown = await rejection(openai.chat.completions.create(question));
    expect(thrown).toBeInstanceOf(ErrorClass);
    expect(thrown).toMatchObject({
      status,
      code: 'some_code',
      type: 'some_type',
      param: 'model',
      requestID: 'req_7',
    });
  });

  it('for an LLM that is not there: a 502 with our code', async () => {
    const { openai, llm } = await startWith(echoModel());
    await llm.close();
    const thrown = await rejection(openai.chat.completions.create(question, { maxRetries: 0 }));
    expect(thrown).toBeInstanceOf(OpenAI.InternalServerError);
    expect(thrown).toMatchObject({ status: 502, code: 'upstream_unreachable', type: 'server_error' });
  });

  it('for an LLM that does not answer in time: a 504 with our code', async () => {
    const { openai } = await startWith(() => {}, { timeout: 80 });
    const thrown = await rejection(openai.chat.completions.create(question, { maxRetries: 0 }));
    expect(thrown).toBeInstanceOf(OpenAI.InternalServerError);
    expect(thrown).toMatchObject({ status: 504, code: 'upstream_timeout' });
  });

  it('for a protocol that no instance speaks: a 400 with our code that names those they speak', async () => {
    const llm = await startUpstream(echoModel());
    const { openai } = await startClients({
      instances: [openaiInstance('a', llm.url, { provider: 'deepseek' })],
    });
    const thrown = await rejection(openai.responses.create({ model: 'm', input: 'Hi' }));
    expect(thrown).toBeInstanceOf(OpenAI.BadRequestError);
    expect(thrown).toMatchObject({ code: 'protocol_not_supported', type: 'invalid_request_error' });
    expect(String(thrown)).toContain('openai-chat');
    expect(llm.calls).toEqual([]);
  });

  it('for a body that is too large: a 413 with our code', async () => {
    const llm = await startUpstream(echoModel());
    const { openai } = await startClients({
      max_req_body_size: 100,
      instances: [openaiInstance('a', llm.url)],
    });
    const messages = [{ role: 'user' as const, content: 'x'.repeat(200) }];
    const thrown = await rejection(openai.chat.completions.create({ model: 'm', messages }));
    expect(thrown).toBeInstanceOf(OpenAI.APIError);
    expect(thrown).toMatchObject({ status: 413, code: 'body_too_large' });
  });

  it("for the last instance's 429, with its retry-after", async () => {
    const limited: Script = (_call, res) =>
      answerJson(
        res,
        429,
        { error: { message: 'slow down', code: 'rate_limit_exceeded' } },
        { 'retry-after': '17' },
      );
    const [first, last] = [await startUpstream(limited), await startUpstream(limited)];
    const { openai } = await startClients({
      fallback_strategy: ['http_429'],
      instances: inOrder(openaiInstance('first', first.url), openaiInstance('last', last.url)),
    });
    const thrown = await rejection(openai.chat.completions.create(question));
    if (!(thrown instanceof OpenAI.RateLimitError)) throw thrown;
    expect(thrown.code).toBe('rate_limit_exceeded');
    expect(thrown.headers.get('retry-after')).toBe('17');
  });
});

describe('the official openai SDK tries again by itself', () => {
  const failing: Script = (_call, res) => answerJson(res, 500, { error: { message: 'failing' } }, AT_ONCE);

  it('when one instance fails without a fallback', async () => {
    const { openai, llm } = await startWith(failing);
    await rejection(openai.chat.completions.create(question));
    expect(llm.calls).toHaveLength(3);
  });

  it('but not when every instance has been tried: the gateway has done that already', async () => {
    const [first, second] = [await startUpstream(failing), await startUpstream(failing)];
    const { openai } = await startClients({
      fallback_strategy: ['http_5xx'],
      instances: [openaiInstance('first', first.url), openaiInstance('second', second.url)],
    });
    const thrown = await rejection(openai.chat.completions.create(question));
    expect(thrown).toBeInstanceOf(OpenAI.InternalServerError);
    expect([first.calls.length, second.calls.length]).toEqual([1, 1]);
  });

  it('nor when none of them could be reached', async () => {
    const [first, second] = [await startUpstream(failing), await startUpstream(failing)];
    const { openai, finished } = await startClients({
      fallback_strategy: ['http_5xx'],
      instances: [openaiInstance('first', first.url), openaiInstance('second', second.url)],
    });
    await Promise.all([first.close(), second.close()]);
    const thrown = await rejection(openai.chat.completions.create(question));
    expect(thrown).toMatchObject({ status: 502, code: 'upstream_unreachable' });
    expect(finished).toHaveLength(1);
  });
});

describe('a stream that breaks', () => {
  const cut: Script = (_call, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.write(chatEvent('Half of'), () => res.destroy());
  };

  it('throws in the middle of the loop, with our code', async () => {
    const { openai } = await startWith(cut);
    const stream = await openai.chat.completions.create({ ...question, stream: true });
    let text = '';
    const thrown = await rejection(
      (async () => {
        for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
      })(),
    );
    expect(thrown).toBeInstanceOf(OpenAI.APIError);
    expect(thrown).toMatchObject({ code: 'upstream_stream_cut' });
    expect(text).toBe('Half of');
  });

  it("is not taken for a complete one by the SDK's stream helper", async () => {
    const { openai } = await startWith(cut);
    const helper = openai.chat.completions.stream(question);
    expect(await rejection(helper.finalContent())).toMatchObject({ code: 'upstream_stream_cut' });
  });

  it('throws as a stream of the Responses API, too', async () => {
    const { openai } = await startWith((_call, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      const event = { type: 'response.output_text.delta', delta: 'Half of', sequence_number: 0 };
      res.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`, () => res.destroy());
    });
    const stream = await openai.responses.create({ model: 'm', input: 'Hi', stream: true });
    const events: unknown[] = [];
    const thrown = await rejection(
      (async () => {
        for await (const event of stream) events.push(event);
      })(),
    );
    expect(thrown).toBeInstanceOf(Error);
    expect(events[0]).toMatchObject({ delta: 'Half of' });
  });

  it('before its first event is tried again by nobody but the gateway', async () => {
    const broken = await startUpstream((_call, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write('data: {"choi', () => res.destroy());
    });
    const working = await startUpstream((_call, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.end(`${chatEvent('whole')}data: [DONE]\n\n`);
    });
    const { openai } = await startClients({
      fallback_strategy: ['http_5xx'],
      instances: inOrder(openaiInstance('broken', broken.url), openaiInstance('working', working.url)),
    });
    const stream = await openai.chat.completions.create({ ...question, stream: true });
    const chunks = await collect(stream);
    expect(chunks.map((chunk) => chunk.choices[0]?.delta.content)).toEqual(['whole']);
    expect([broken.calls.length, working.calls.length]).toEqual([1, 1]);
  });
});

describe('aborting', () => {
  it.each(['the AbortController', 'break'])('a stream with %s reaches the LLM', async (how) => {
    let answering: ServerResponse | undefined;
    const { openai, ended } = await startWith((_call, res) => {
      answering = res;
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write(chatEvent('endless'));
    });
    const abort = new AbortController();
    const stream = await openai.chat.completions.create(
      { ...question, stream: true },
      { signal: abort.signal },
    );
    for await (const chunk of stream) {
      expect(chunk.choices[0]?.delta.content).toBe('endless');
      if (how === 'break') break;
      abort.abort();
    }
    if (answering?.closed === false) await once(answering, 'close');
    expect(answering?.writableFinished).toBe(false);
    expect(await ended(1)).toMatchObject([{ llm_outcome: 'client_gone' }]);
  });

  it('a request that the LLM has not answered yet reaches the LLM', async () => {
    const abort = new AbortController();
    let asked: ServerResponse | undefined;
    const { openai } = await startWith((_call, res) => {
      asked = res;
      abort.abort();
    });
    const thrown = await rejection(openai.chat.completions.create(question, { signal: abort.signal }));
    expect(thrown).toBeInstanceOf(OpenAI.APIUserAbortError);
    if (asked?.closed === false) await once(asked, 'close');
    expect(asked?.closed).toBe(true);
  });
});
