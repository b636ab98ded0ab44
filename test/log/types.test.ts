import { aiProxyMulti } from 'ai-proxy-multi';
import { describe, expect, it } from 'vitest';
import { isObject } from '../../lib/protocols/json.ts';
import { instance, post, serve } from '../support/app.ts';
import { connectRaw, rawPost } from '../support/raw.ts';
import { answerJson, chatEvent, type Script, startUpstream } from '../support/upstream.ts';
import * as answers from './answers.ts';
import { expectTyped } from './expect-typed.ts';
import { answerWith, observe, streamWith } from './observe.ts';

const attempt = (status: number) => ({ instance: 'llm', status, duration_ms: expect.any(Number) });
const none = { llm_prompt_tokens: 0, llm_completion_tokens: 0, llm_total_tokens: 0 };
const anthropic = { provider: 'anthropic', options: { model: 'claude' } } as const;
const fromLlm = { llm_instance: 'llm', llm_provider: 'openai-compatible', llm_model: 'gpt-4o' };
const fromAnthropic = { llm_instance: 'llm', llm_provider: 'anthropic', llm_model: 'claude' };
const complete = { llm_outcome: 'complete', llm_attempts: [attempt(200)] };
const messages = [{ role: 'user', content: 'Hi' }];

type Kind = [
  title: string,
  script: Script,
  path: string,
  body: unknown,
  expected: Readonly<Record<string, unknown>>,
  fields?: Parameters<typeof instance>[2],
];

const plain = { request_type: 'ai_chat', llm_stream: false };
const stream = { request_type: 'ai_stream', llm_stream: true };

const kinds: readonly Kind[] = [
  [
    'a plain answer',
    answerWith(answers.chat()),
    '/v1/chat/completions',
    { messages },
    { ...plain, ...fromLlm, ...complete, ...answers.openaiCounts },
  ],
  [
    'a stream',
    streamWith(answers.chatEvents()),
    '/v1/chat/completions',
    { messages, stream: true },
    { ...stream, ...fromLlm, ...complete, ...answers.openaiCounts },
  ],
  [
    'embeddings',
    answerWith(answers.embeddings),
    '/v1/embeddings',
    { input: 'Hi' },
    {
      ...plain,
      ...fromLlm,
      ...complete,
      llm_prompt_tokens: 5,
      llm_completion_tokens: 0,
      llm_total_tokens: 5,
    },
  ],
  [
    'the Responses API',
    answerWith(answers.response),
    '/v1/responses',
    { input: 'Hi' },
    { ...plain, ...fromLlm, ...complete, ...answers.responsesCounts },
  ],
  [
    'a stream of the Responses API',
    streamWith(answers.responseEvents),
    '/v1/responses',
    { input: 'Hi', stream: true },
    { ...stream, ...fromLlm, ...complete, ...answers.responsesCounts },
  ],
  [
    'the Messages API',
    answerWith(answers.message),
    '/v1/messages',
    { messages, max_tokens: 9 },
    { ...plain, ...fromAnthropic, ...complete, ...answers.anthropicCounts },
    anthropic,
  ],
  [
    'a stream of the Messages API',
    streamWith(answers.messageEvents),
    '/v1/messages',
    { messages, max_tokens: 9, stream: true },
    { ...stream, ...fromAnthropic, ...complete, ...answers.anthropicCounts },
    anthropic,
  ],
  [
    'a 429 that is passed on',
    answerWith({ error: { message: 'slow down' } }, 429),
    '/',
    { messages },
    { ...plain, ...fromLlm, ...none, llm_outcome: 'complete', llm_attempts: [attempt(429)] },
  ],
  [
    'a connection that breaks before an answer, 502',
    (_call, res) => res.destroy(),
    '/',
    { messages },
    {
      ...plain,
      ...fromLlm,
      ...none,
      llm_time_to_first_token: 0,
      llm_outcome: 'rejected',
      llm_attempts: [{ instance: 'llm', error: 'upstream_reset', duration_ms: expect.any(Number) }],
    },
  ],
  [
    'a body that is refused, 400',
    answerWith(answers.chat()),
    '/',
    '{"messages":',
    {
      ...plain,
      ...none,
      request_llm_model: '',
      llm_model: '',
      llm_instance: '',
      llm_provider: '',
      llm_upstream_response_time: 0,
      llm_outcome: 'rejected',
      llm_attempts: [],
    },
  ],
];

describe('every variable is there, with its type', () => {
  it.each(kinds)('of %s', async (_title, script, path, body, expected, fields = {}) => {
    const { app, first } = await observe(script, { instance: fields });
    await (await post(`${app.url}${path}`, body)).text();
    const variables = await first;
    expectTyped(variables);
    expect(variables).toMatchObject(expected);
  });

  it('of a request without a body that is passed through', async () => {
    const { app, first } = await observe(answerWith({ object: 'list', data: [] }));
    await (await fetch(`${app.url}/v1/models`)).text();
    expectTyped(await first);
    expect(await first).toMatchObject({ ...plain, ...fromLlm, ...none, ...complete, request_llm_model: '' });
  });

  it('of a bare http server, for whose responses the gateway makes res.locals', async () => {
    const upstream = await startUpstream(answerWith(answers.chat()));
    const middleware = aiProxyMulti({ instances: [instance('llm', upstream.url)] });
    let variables: Record<string, unknown> = {};
    const { url } = await serve((req, res) => {
      res.on('finish', () => {
        if ('locals' in res && isObject(res.locals)) variables = { ...res.locals };
      });
      middleware(req, res);
    });
    await (await post(url)).text();
    await middleware.close();
    expectTyped(variables);
    expect(variables).toMatchObject({ ...complete, ...answers.openaiCounts });
  });

  it('of a client that falls silent while it sends, 408', async () => {
    const { app, first } = await observe(answerWith({}), { config: { timeout: 60 } });
    const client = await connectRaw(app.port);
    client.write(rawPost('/', JSON.stringify({ messages })).slice(0, -10));
    await client.until('408');
    expectTyped(await first);
    expect(await first).toMatchObject({ llm_outcome: 'timeout', llm_attempts: [], llm_instance: '' });
  });

  it("of an upstream's own 504, which is an answer like any other", async () => {
    const { app, first } = await observe(answerWith({ error: {} }, 504));
    await (await post(app.url)).text();
    expectTyped(await first);
    expect(await first).toMatchObject({ llm_outcome: 'complete', llm_attempts: [attempt(504)] });
  });

  it('of an LLM that is not there, 502', async () => {
    const { app, upstream, first } = await observe(answerWith({}));
    await upstream.close();
    expect((await post(app.url)).status).toBe(502);
    expectTyped(await first);
    expect(await first).toMatchObject({
      ...fromLlm,
      llm_outcome: 'rejected',
      llm_attempts: [{ instance: 'llm', error: 'upstream_unreachable' }],
    });
  });

  it('of an LLM that does not answer in time, 504', async () => {
    const { app, first } = await observe(() => {}, { config: { timeout: 60 } });
    expect((await post(app.url)).status).toBe(504);
    expectTyped(await first);
    expect(await first).toMatchObject({
      llm_outcome: 'timeout',
      llm_attempts: [{ instance: 'llm', error: 'upstream_timeout' }],
    });
  });

  it('of a fallback, with every attempt in its order', async () => {
    const failing = await startUpstream((_call, res) => answerJson(res, 429, { error: { message: 'no' } }));
    const working = await startUpstream(answerWith(answers.chat()));
    const { app, first } = await observe(answerWith({}), {
      config: {
        fallback_strategy: ['http_429'],
        instances: [
          instance('a', failing.url, { priority: 2 }),
          instance('b', working.url, { priority: 1, provider: 'openai' }),
        ],
      },
    });
    await (await post(app.url)).text();
    expectTyped(await first);
    expect(await first).toMatchObject({
      llm_instance: 'b',
      llm_provider: 'openai',
      llm_model: 'model-b',
      llm_outcome: 'complete',
      llm_attempts: [
        { instance: 'a', status: 429, duration_ms: expect.any(Number) },
        { instance: 'b', status: 200, duration_ms: expect.any(Number) },
      ],
      ...answers.openaiCounts,
    });
  });

  it('of a stream that the LLM breaks off', async () => {
    const { app, first } = await observe((_call, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write(chatEvent('Hi'), () => res.destroy());
    });
    const read = post(app.url, { messages, stream: true }).then((response) => response.text());
    await expect(read).rejects.toThrow();
    expectTyped(await first);
    expect(await first).toMatchObject({ ...stream, llm_outcome: 'cut', llm_attempts: [attempt(200)] });
  });
});
