import { ConfigError } from 'ai-proxy-multi';
import { describe, expect, it, onTestFinished } from 'vitest';
import { send } from '../apisix-router/routing.ts';
import * as answers from '../log/answers.ts';
import { answerWith, streamWith } from '../log/observe.ts';
import { instance, post, startApp } from '../support/app.ts';
import { errorCode, startRawUpstream } from '../support/broken-upstreams.ts';
import { ownPort } from '../support/own-port.ts';
import { connectRaw, rawPost } from '../support/raw.ts';
import { echoModel, startUpstream } from '../support/upstream.ts';
import { ANSWER_TOKENS, chat, HOUR, makeLimiter, startLimited, usedOf } from './limited.ts';

const LIMITS = { limit: 1_000_000, time_window: HOUR };
const LONGEST_WINDOW = 315_360_000;

const messages = [{ role: 'user', content: 'Hi' }];
const streamed = { messages, stream: true };

/** 44 characters. */
const SENTENCE = 'The quick brown fox jumps over the lazy dog ';

/** An LLM that reports no usage: what it is charged is up to the protocol. */
const silentAnswer = {
  choices: [{ index: 0, message: { role: 'assistant', content: SENTENCE.repeat(10) } }],
};

describe('an endpoint that is a known one itself', () => {
  async function startKnown() {
    const upstream = await startUpstream(echoModel());
    const endpoint = `${upstream.url}/v1/chat/completions`;
    return { upstream, app: await startApp({ instances: [instance('a', endpoint)] }) };
  }

  it.each(['/models', '/v1/models', '/v1/completions'])(
    'is sent no chat by the name of %s, which would go past options and quotas',
    async (path) => {
      const { app, upstream } = await startKnown();
      const answer = await post(`${app.url}${path}`);
      expect([answer.status, errorCode(await answer.json())]).toEqual([400, 'protocol_not_supported']);
      expect(upstream.calls).toEqual([]);
    },
  );

  it.each(['/v1/chat/completions', '/'])('still serves chats at %s', async (path) => {
    const { app, upstream } = await startKnown();
    expect((await post(`${app.url}${path}`)).status).toBe(200);
    expect(upstream.calls).toMatchObject([{ url: '/v1/chat/completions' }]);
  });
});

describe('a chat whose path is oddly written', () => {
  const writings = [
    '/v1/chat//completions',
    '/v1/chat/./completions',
    '/v1/chat/x/../completions',
    '/v1/chat/%63ompletions',
  ];

  it.each(writings)('has the options applied: %s', async (path) => {
    const { app, upstream } = await startLimited(LIMITS, {
      instance: () => ({ options: { model: 'model-a', temperature: 0.5 } }),
    });
    const body = JSON.stringify({ model: 'of-the-client', messages, temperature: 2 });
    expect((await send(app.port, path, { body })).status).toBe(200);
    const [call] = upstream.calls;
    expect(call?.url).toBe('/v1/chat/completions');
    expect(JSON.parse(call?.body ?? '')).toMatchObject({ model: 'model-a', temperature: 0.5 });
  });

  it.each(writings)('has llm_options applied: %s', async (path) => {
    const upstream = await startUpstream(echoModel());
    const override = { endpoint: upstream.url, llm_options: { max_tokens: 7 } };
    const app = await startApp({ instances: [instance('a', upstream.url, { override })] });
    await send(app.port, path);
    expect(JSON.parse(upstream.calls[0]?.body ?? '')).toMatchObject({ max_tokens: 7 });
  });

  it.each(writings)('is charged as a chat, also by an estimate: %s', async (path) => {
    const { app, url } = await startLimited(LIMITS, { script: answerWith(silentAnswer) });
    expect((await send(app.port, path)).status).toBe(200);
    expect(app.finished[0]).toMatchObject({ llm_usage_source: 'estimated' });
    expect(await usedOf(url)).toBeGreaterThanOrEqual((SENTENCE.length * 10) / 4 / 2);
  });
});

describe('a request that is passed through', () => {
  const completionEvents = Array.from(
    { length: 50 },
    () =>
      `data: ${JSON.stringify({ object: 'text_completion', choices: [{ index: 0, text: SENTENCE }] })}\n\n`,
  ).join('');

  async function streamCompletion() {
    const { app, url } = await startLimited(LIMITS, { script: streamWith(completionEvents) });
    await (await post(`${url}/v1/completions`, { prompt: 'Hi', stream: true })).text();
    const [first] = await app.ended(1);
    const completion = Number(first?.llm_completion_tokens);
    return { first, completion, used: await usedOf(url) };
  }

  it('has a streamed answer that reports nothing estimated and charged', async () => {
    const { first, completion, used } = await streamCompletion();
    expect(first).toMatchObject({ llm_usage_source: 'estimated' });
    expect(completion).toBeGreaterThan(0);
    expect(used).toBe(Number(first?.llm_prompt_tokens) + completion);
  });

  it('has such an answer charged by the length of its text, however few events it comes in', async () => {
    const { completion } = await streamCompletion();
    expect(completion).toBeGreaterThanOrEqual((SENTENCE.length * 50) / 4 / 2);
  });

  it('is charged nothing with a GET, which reads what another request has used up', async () => {
    const stored = await startUpstream(answerWith({ id: 'resp_1', usage: answers.openaiUsage }));
    const { url } = await startLimited(LIMITS, { instance: () => ({ override: { endpoint: stored.url } }) });
    const read = await fetch(`${url}/v1/batches/1`);
    expect(await read.json()).toHaveProperty('usage');
    expect(await usedOf(url)).toBe(0);
  });

  it('is charged the sum of input and output tokens where the LLM reports no total', async () => {
    const { url } = await startLimited(LIMITS, {
      script: answerWith({ usage: { input_tokens: 30, output_tokens: 12 } }),
    });
    await (await post(`${url}/v1/completions`, { prompt: 'Hi' })).text();
    expect(await usedOf(url)).toBe(42);
  });
});

describe('two limiters, of which the first waits for a Redis that is down', () => {
  it('answer a limit that cannot be read with a 500, and leave no rejection unhandled', async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown): void => {
      unhandled.push(reason);
    };
    process.on('unhandledRejection', note);
    onTestFinished(() => {
      process.off('unhandledRejection', note);
    });
    const second = makeLimiter({ limit: `\${http_x_limit}`, time_window: HOUR });
    const { url, upstream } = await startLimited(
      { ...LIMITS, policy: 'redis', redis_host: '127.0.0.1', redis_port: await ownPort() },
      { between: (express) => express.use(second.limiter) },
    );
    expect((await chat(url, { 'x-limit': 'nope' })).status).toBe(500);
    // It waits for the same Redis, so the first request's wait is over when this one is answered.
    const next = await post(url, undefined, { headers: { 'x-limit': '100' } });
    expect([next.status, errorCode(await next.json())]).toEqual([500, 'quota_unavailable']);
    await new Promise(setImmediate);
    expect(unhandled).toEqual([]);
    expect(upstream.calls).toEqual([]);
  });

  it('serve the next request as before', async () => {
    const second = makeLimiter({ limit: `\${http_x_limit}`, time_window: HOUR });
    const { url } = await startLimited(
      {
        ...LIMITS,
        policy: 'redis',
        redis_host: '127.0.0.1',
        redis_port: await ownPort(),
        allow_degradation: true,
      },
      { between: (express) => express.use(second.limiter) },
    );
    const statuses: number[] = [];
    for (const limit of ['100', 'nope', '100']) statuses.push((await chat(url, { 'x-limit': limit })).status);
    expect(statuses).toEqual([200, 500, 200]);
  });
});

describe("Anthropic's first event, which says 1 output token", () => {
  const start = {
    type: 'message_start',
    message: { ...answers.message, content: [], usage: { ...answers.anthropicUsage, output_tokens: 1 } },
  };
  const delta = (text: string): object => ({
    type: 'content_block_delta',
    index: 0,
    delta: { type: 'text_delta', text },
  });
  const eventOf = (data: object): string => `data: ${JSON.stringify(data)}\n\n`;

  it('is not all that a stream is charged whose client hangs up before the last', async () => {
    const { app, url } = await startLimited(LIMITS, {
      instance: () => ({ provider: 'anthropic' }),
      script(_call, res) {
        res.writeHead(200, { 'content-type': 'text/event-stream' });
        res.write(eventOf(start) + eventOf(delta(SENTENCE)).repeat(100) + eventOf(delta('LAST')));
      },
    });
    const client = await connectRaw(app.port);
    client.write(rawPost('/v1/messages', JSON.stringify(streamed)));
    await client.until('LAST');
    client.socket.destroy();
    const [first] = await app.ended(1);
    expect(first).toMatchObject({ llm_usage_source: 'estimated', llm_outcome: 'client_gone' });
    const tokens = (SENTENCE.length * 100) / 4;
    const completion = Number(first?.llm_completion_tokens);
    expect(completion).toBeGreaterThanOrEqual(tokens / 2);
    expect(completion).toBeLessThanOrEqual(tokens * 2);
    expect(await usedOf(url)).toBe(Number(first?.llm_prompt_tokens) + completion);
  });
});

describe('a client that hangs up before its request could be sent', () => {
  it('is charged nothing, not even its prompt', async () => {
    let accept: () => void = () => {};
    const accepted = new Promise<void>((resolve) => {
      accept = resolve;
    });
    const silent = await startRawUpstream(
      () => {},
      (socket) => {
        // The first handshake is never answered; those of the question what has been used end at once.
        if (silent.connections === 1) accept();
        else socket.destroy();
      },
    );
    const { app, url } = await startLimited(LIMITS, {
      instance: () => ({ override: { endpoint: `https://127.0.0.1:${silent.port}` } }),
    });
    const client = await connectRaw(app.port);
    client.write(
      rawPost('/', JSON.stringify({ messages: [{ role: 'user', content: SENTENCE.repeat(100) }] })),
    );
    await accepted;
    client.socket.destroy();
    const [first] = await app.ended(1);
    expect(first).toMatchObject({
      llm_usage_source: 'none',
      llm_total_tokens: 0,
      llm_outcome: 'client_gone',
    });
    expect(await usedOf(url)).toBe(0);
  });
});

describe('a time_window of more than ten years', () => {
  it('is refused in a configuration, wherever it stands', () => {
    const tooLong = { time_window: LONGEST_WINDOW + 1 };
    for (const config of [
      { limit: 1, ...tooLong },
      { instances: [{ name: 'a', limit: 1, ...tooLong }] },
      { rules: [{ key: '$remote_addr', count: 1, ...tooLong }] },
    ]) {
      expect(() => makeLimiter(config)).toThrow(ConfigError);
    }
  });

  it('is a 500 where a template comes to it', async () => {
    const { url, upstream } = await startLimited({ limit: 10, time_window: '$http_x_window' });
    const answer = await post(url, undefined, { headers: { 'x-window': String(LONGEST_WINDOW + 1) } });
    expect([answer.status, errorCode(await answer.json())]).toEqual([500, 'invalid_quota']);
    expect(upstream.calls).toEqual([]);
  });

  it('is one more second than what is taken, from both', async () => {
    const fixed = await startLimited({ limit: 10, time_window: LONGEST_WINDOW });
    const template = await startLimited({ limit: 10, time_window: '$http_x_window' });
    expect((await chat(fixed.url)).status).toBe(200);
    expect((await chat(template.url, { 'x-window': String(LONGEST_WINDOW) })).status).toBe(200);
  });
});

describe('rejected_code: 204', () => {
  it('is an answer without a body and without a length', async () => {
    const { app, url } = await startLimited({ limit: ANSWER_TOKENS, time_window: HOUR, rejected_code: 204 });
    await chat(url);
    const client = await connectRaw(app.port);
    client.write(rawPost('/', JSON.stringify({ messages }), ['Connection: close']));
    const answer = await client.closed();
    expect(answer).toMatch(/^HTTP\/1\.1 204 /);
    expect(answer).not.toMatch(/^(?:content-length|transfer-encoding):/im);
    expect(answer.slice(answer.indexOf('\r\n\r\n'))).toBe('\r\n\r\n');
  });
});
