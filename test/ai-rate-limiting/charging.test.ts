import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { failFor } from '../balancer/ask.ts';
import * as answers from '../log/answers.ts';
import { answerWith, streamWith } from '../log/observe.ts';
import { post } from '../support/app.ts';
import { ownPort } from '../support/own-port.ts';
import { connectRaw, rawPost } from '../support/raw.ts';
import { answerJson, chatEvent, doneEvent, type Script, usageEvent } from '../support/upstream.ts';
import { ANSWER_TOKENS, chat, HOUR, startLimited, toldOf, usedOf } from './limited.ts';

const LIMITS = { limit: 1_000_000, time_window: HOUR };
const messages = [{ role: 'user', content: 'Hi' }];
const streamed = { messages, stream: true };

function zipped(type: string, text: string): Script {
  return (_call, res) => {
    res.writeHead(200, { 'content-type': type, 'content-encoding': 'gzip' });
    res.end(gzipSync(text));
  };
}

describe('nothing is charged', () => {
  it.each(['{"messages":', '', '[]'])('for a body that the gateway refuses: %j', async (body) => {
    const { url, app } = await startLimited(LIMITS);
    expect((await post(url, body)).status).toBe(400);
    expect(await usedOf(url)).toBe(0);
    expect(app.finished[0]).toMatchObject({ llm_usage_source: 'none' });
  });

  it.each([400, 401, 404, 429, 500, 503, 302])('for a %i of the upstream', async (status) => {
    const { url, app } = await startLimited(LIMITS, {
      script: answerWith({ error: { message: 'no' } }, status),
    });
    expect((await post(url, undefined, { redirect: 'manual' })).status).toBe(status);
    expect(await usedOf(url)).toBe(0);
    expect(app.finished[0]).toMatchObject({ llm_usage_source: 'none', llm_total_tokens: 0 });
  });

  it('for a stream that begins with an error', async () => {
    const { url } = await startLimited(LIMITS, {
      script: streamWith('data: {"error":{"message":"overloaded","type":"server_error","code":503}}\n\n'),
    });
    await (await post(url, streamed)).text();
    expect(await usedOf(url)).toBe(0);
  });

  it('for an instance that cannot be reached', async () => {
    const endpoint = `http://127.0.0.1:${await ownPort()}`;
    const { url, app } = await startLimited(LIMITS, { instance: () => ({ override: { endpoint } }) });
    expect((await chat(url)).status).toBe(502);
    expect(toldOf(await chat(url), 'a').remaining).toBe(LIMITS.limit);
    expect(app.finished[0]).toMatchObject({ llm_usage_source: 'none' });
  });

  it('for an instance that does not answer in time', async () => {
    const { url, app } = await startLimited(LIMITS, { script: () => {}, config: { timeout: 500 } });
    expect((await chat(url)).status).toBe(504);
    expect(await usedOf(url)).toBe(0);
    expect(app.finished[0]).toMatchObject({ llm_usage_source: 'none' });
  });

  it('for an answer that its LLM reports 0 for', async () => {
    const usage = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 };
    const { url, app } = await startLimited(LIMITS, { script: answerWith(answers.chat(usage)) });
    await chat(url);
    expect(await usedOf(url)).toBe(0);
    expect(app.finished[0]).toMatchObject({ llm_usage_source: 'reported', llm_total_tokens: 0 });
  });
});

describe('the instance that answers pays', () => {
  it('alone, where another has failed before', async () => {
    const { url } = await startLimited(LIMITS, {
      names: ['a', 'b'],
      script: failFor(new Set(['model-a']), 500),
      instance: (name) => ({ priority: name === 'a' ? 2 : 1 }),
      config: { fallback_strategy: ['http_5xx'] },
    });
    await chat(url);
    expect(toldOf(await chat(url), 'b').remaining).toBe(LIMITS.limit - ANSWER_TOKENS);
    // Asked with a GET, which does not fail: the first in line answers.
    expect(await usedOf(url, 'a')).toBe(0);
  });

  it('what the failed one had reported is not charged to it either', async () => {
    const { url } = await startLimited(LIMITS, {
      names: ['a', 'b'],
      script(call, res) {
        const usage = { prompt_tokens: 5, completion_tokens: 5, total_tokens: 10 };
        if (call.body.includes('model-a')) answerJson(res, 500, { error: {}, usage });
        else answerJson(res, 200, answers.chat(usage));
      },
      instance: (name) => ({ priority: name === 'a' ? 2 : 1 }),
      config: { fallback_strategy: ['http_5xx'] },
    });
    await chat(url);
    expect(toldOf(await chat(url), 'b').remaining).toBe(LIMITS.limit - 10);
    expect(await usedOf(url, 'a')).toBe(0);
  });
});

describe('a stream is charged', () => {
  it('what its last event says, also where the client does not get to see that', async () => {
    const { url, app } = await startLimited(LIMITS, {
      script: streamWith(chatEvent('Hi') + usageEvent + doneEvent),
    });
    const text = await (await post(url, streamed)).text();
    expect(text).not.toContain('usage');
    expect(await usedOf(url)).toBe(ANSWER_TOKENS);
    expect(app.finished[0]).toMatchObject({ llm_usage_source: 'reported', llm_total_tokens: ANSWER_TOKENS });
  });

  it('once, where every event reports the usage so far', async () => {
    const events = [1, 2, 3].map((tokens) =>
      chatEvent('word ', {
        usage: { prompt_tokens: 10, completion_tokens: tokens, total_tokens: 10 + tokens },
      }),
    );
    const { url } = await startLimited(LIMITS, { script: streamWith(events.join('') + doneEvent) });
    await (await post(url, streamed)).text();
    expect(await usedOf(url)).toBe(13);
  });

  it('whatever chunks it comes in', async () => {
    const { url } = await startLimited(LIMITS, {
      async script(_call, res) {
        res.writeHead(200, { 'content-type': 'text/event-stream' });
        for (const byte of chatEvent('Hi') + usageEvent + doneEvent) {
          res.write(byte);
          await new Promise((resolve) => setImmediate(resolve));
        }
        res.end();
      },
    });
    await (await post(url, streamed)).text();
    expect(await usedOf(url)).toBe(ANSWER_TOKENS);
  });

  it('what was reported before the client hung up', async () => {
    const { url, app } = await startLimited(LIMITS, {
      script(_call, res) {
        res.writeHead(200, { 'content-type': 'text/event-stream' });
        res.write(chatEvent('Hi', { usage: answers.openaiUsage }));
      },
    });
    const client = await connectRaw(app.port);
    client.write(rawPost('/', JSON.stringify(streamed)));
    await client.until('Hi');
    client.socket.destroy();
    await app.ended(1);
    expect(app.finished[0]).toMatchObject({ llm_usage_source: 'reported', llm_outcome: 'client_gone' });
    expect(await usedOf(url)).toBe(2306);
  });

  it("more than the 1 token of Anthropic's first event, where the client hangs up behind it", async () => {
    const { url, app } = await startLimited(LIMITS, {
      instance: () => ({ provider: 'anthropic' }),
      script(_call, res) {
        res.writeHead(200, { 'content-type': 'text/event-stream' });
        res.write(answers.messageEvents.split('\n\n').slice(0, 4).join('\n\n').concat('\n\n'));
      },
    });
    const client = await connectRaw(app.port);
    client.write(rawPost('/v1/messages', JSON.stringify(streamed)));
    await client.until('text_delta');
    client.socket.destroy();
    const [first] = await app.ended(1);
    expect(first).toMatchObject({ llm_usage_source: 'estimated', llm_outcome: 'client_gone' });
    expect(Number(first?.llm_completion_tokens)).toBeGreaterThanOrEqual(1);
    expect(await usedOf(url)).toBe(Number(first?.llm_prompt_tokens) + Number(first?.llm_completion_tokens));
  });

  it('what was reported before its upstream died', async () => {
    const { url, app } = await startLimited(LIMITS, {
      script(_call, res) {
        res.writeHead(200, { 'content-type': 'text/event-stream' });
        res.write(chatEvent('Hi', { usage: answers.openaiUsage }), () => res.destroy());
      },
    });
    await expect((await post(url, streamed)).text()).rejects.toThrow();
    expect(app.finished[0]).toMatchObject({ llm_usage_source: 'reported', llm_outcome: 'cut' });
    expect(await usedOf(url)).toBe(2306);
  });
});

describe('an answer that the upstream compressed unasked', () => {
  it('is charged what it reports', async () => {
    const { url } = await startLimited(LIMITS, {
      script: zipped('application/json', JSON.stringify(answers.chat())),
    });
    await chat(url);
    expect(await usedOf(url)).toBe(2306);
  });

  it('is charged what it reports as a stream', async () => {
    const { url } = await startLimited(LIMITS, { script: zipped('text/event-stream', answers.chatEvents()) });
    await (await post(url, streamed)).text();
    expect(await usedOf(url)).toBe(2306);
  });
});

describe('an answer is charged', () => {
  it('before the next request on the same connection is looked at', async () => {
    const { app } = await startLimited({ limit: 1, time_window: HOUR });
    const client = await connectRaw(app.port);
    const request = rawPost('/', JSON.stringify({ messages }));
    client.write(request);
    await client.until('"total_tokens":31');
    client.write(request);
    await client.until('HTTP/1.1 503');
  });

  it('also where a request is passed through and its answer reports tokens', async () => {
    const { url } = await startLimited(LIMITS, { script: answerWith({ usage: answers.openaiUsage }) });
    await (await post(`${url}/v1/completions`, { prompt: 'Hi' })).text();
    expect(await usedOf(url)).toBe(2306);
  });

  it('nothing where a request is passed through and its answer reports nothing', async () => {
    const { url, app } = await startLimited(LIMITS, { script: answerWith({ text: 'Hello'.repeat(1000) }) });
    await (await post(`${url}/v1/completions`, { prompt: 'Hi' })).text();
    expect(await usedOf(url)).toBe(0);
    expect(app.finished[0]).toMatchObject({ llm_usage_source: 'none' });
  });

  it('from its end, where it is longer than what is kept of it', async () => {
    const long = { ...answers.chat(), choices: [{ message: { content: 'x'.repeat(6_000_000) } }] };
    const { usage, ...rest } = long;
    const { url } = await startLimited(LIMITS, { script: answerWith({ ...rest, usage }) });
    await chat(url);
    expect(await usedOf(url)).toBe(2306);
  });
});
