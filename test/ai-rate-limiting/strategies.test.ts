import type { AiRateLimitingConfig } from 'ai-proxy-multi';
import { describe, expect, it } from 'vitest';
import * as answers from '../log/answers.ts';
import { answerWith, streamWith } from '../log/observe.ts';
import { post } from '../support/app.ts';
import type { Script } from '../support/upstream.ts';
import { HOUR, startLimited, usedOf } from './limited.ts';

const LIMIT = { limit: 1_000_000, time_window: HOUR };

interface Asked {
  readonly path: string;
  readonly provider?: 'anthropic' | 'openai-compatible';
  readonly body: object;
}

const messages = [{ role: 'user', content: 'Hi' }];
const chats: Asked = { path: '/v1/chat/completions', body: { messages } };
const anthropic: Asked = { path: '/v1/messages', provider: 'anthropic', body: { messages, max_tokens: 5 } };
const responses: Asked = { path: '/v1/responses', body: { input: 'Hi' } };
const embeddings: Asked = { path: '/v1/embeddings', body: { input: 'Hi' } };

/** What one request with this answer has been charged. */
async function chargeFor(
  config: Omit<AiRateLimitingConfig, 'limit' | 'time_window'>,
  script: Script,
  { path, provider = 'openai-compatible', body }: Asked,
  streams: boolean,
): Promise<number> {
  const { url } = await startLimited({ ...LIMIT, ...config }, { script, instance: () => ({ provider }) });
  await (await post(url + path, { ...body, ...(streams && { stream: true }) })).text();
  return usedOf(url);
}

/** Answers, whether they are streamed, and their tokens: all, the prompt's, the answer's. */
const reported: readonly (readonly [string, Asked, boolean, Script, number, number, number])[] = [
  ['a chat', chats, false, answerWith(answers.chat()), 2306, 2006, 300],
  ['a streamed chat', chats, true, streamWith(answers.chatEvents()), 2306, 2006, 300],
  ["DeepSeek's streamed chat", chats, true, streamWith(answers.deepseekEvents), 237, 141, 96],
  ["Anthropic's message", anthropic, false, answerWith(answers.message), 114, 21, 93],
  ["Anthropic's streamed message", anthropic, true, streamWith(answers.messageEvents), 114, 21, 93],
  ['a response', responses, false, answerWith(answers.response), 380, 328, 52],
  ['a streamed response', responses, true, streamWith(answers.responseEvents), 380, 328, 52],
  ['embeddings', embeddings, false, answerWith(answers.embeddings), 5, 5, 0],
];

describe('limit_strategy', () => {
  it.each(reported)('by default charges all tokens of %s', async (_what, asked, streams, script, total) => {
    expect(await chargeFor({}, script, asked, streams)).toBe(total);
  });

  it.each(reported)('total_tokens charges all tokens of %s', async (_what, asked, streams, script, total) => {
    expect(await chargeFor({ limit_strategy: 'total_tokens' }, script, asked, streams)).toBe(total);
  });

  it.each(reported)(
    'prompt_tokens charges those of the prompt of %s',
    async (_what, asked, streams, script, _total, prompt) => {
      expect(await chargeFor({ limit_strategy: 'prompt_tokens' }, script, asked, streams)).toBe(prompt);
    },
  );

  it.each(reported)(
    'completion_tokens charges those of the answer in %s',
    async (_what, asked, streams, script, _total, _prompt, completion) => {
      expect(await chargeFor({ limit_strategy: 'completion_tokens' }, script, asked, streams)).toBe(
        completion,
      );
    },
  );
});

describe('limit_strategy expression', () => {
  const cost = (cost_expr: string, [asked, streams, script]: [Asked, boolean, Script]): Promise<number> =>
    chargeFor({ limit_strategy: 'expression', cost_expr }, script, asked, streams);
  const plainChat: [Asked, boolean, Script] = [chats, false, answerWith(answers.chat())];

  it('computes with the fields as the LLM calls them', async () => {
    expect(await cost('prompt_tokens + 4 * completion_tokens', plainChat)).toBe(2006 + 4 * 300);
  });

  it('computes with fields that lie deeper', async () => {
    const text =
      'prompt_tokens - prompt_tokens_details.cached_tokens + completion_tokens_details.reasoning_tokens';
    expect(await cost(text, plainChat)).toBe(2006 - 1920 + 192);
  });

  it('computes with the usage that a stream ends with', async () => {
    const text = 'prompt_tokens_details.cached_tokens * 0.1';
    expect(await cost(text, [chats, true, streamWith(answers.chatEvents())])).toBe(192);
  });

  it("computes with what an Anthropic stream's start and end say", async () => {
    const text =
      'input_tokens + cache_read_input_tokens * 0.1 + cache_creation_input_tokens * 1.25 + output_tokens * 5';
    // 21 + 108.6 + 235 + 465
    expect(await cost(text, [anthropic, true, streamWith(answers.messageEvents)])).toBe(830);
  });

  it("computes with a response's fields", async () => {
    const text = 'input_tokens - input_tokens_details.cached_tokens';
    expect(await cost(text, [responses, false, answerWith(answers.response)])).toBe(72);
    expect(await cost(text, [responses, true, streamWith(answers.responseEvents)])).toBe(72);
  });

  it("computes with embeddings' fields, and takes those that are not there for 0", async () => {
    expect(
      await cost('prompt_tokens * 2 + completion_tokens', [
        embeddings,
        false,
        answerWith(answers.embeddings),
      ]),
    ).toBe(10);
  });

  it('rounds to the nearest whole number', async () => {
    expect(await cost('completion_tokens * 0.0051', plainChat)).toBe(2);
    expect(await cost('completion_tokens * 0.004', plainChat)).toBe(1);
  });

  it('charges nothing where the cost rounds to 0', async () => {
    expect(await cost('completion_tokens * 0.001', plainChat)).toBe(0);
  });

  it('gives nothing back where the cost is negative', async () => {
    const { url } = await startLimited(
      { ...LIMIT, limit_strategy: 'expression', cost_expr: '1000 - prompt_tokens' },
      {
        script: (call, res) =>
          answerWith(answers.chat({ prompt_tokens: JSON.parse(call.body).costs }))(call, res, res.req),
      },
    );
    await (await post(url, { messages, costs: 900 })).text();
    await (await post(url, { messages, costs: 5000 })).text();
    expect(await usedOf(url)).toBe(100);
  });
});

describe('an LLM that reports nonsense', () => {
  const usage = (prompt_tokens: unknown, completion_tokens: unknown, total_tokens: unknown) =>
    answerWith(answers.chat({ prompt_tokens, completion_tokens, total_tokens }));

  it.each([
    ['a fraction', usage(1.5, 1.25, 2.75), 3],
    ['less than nothing', usage(-5, -5, -10), 0],
  ])('is charged all the same, or nothing: %s', async (_what, script, charged) => {
    expect(await chargeFor({}, script, chats, false)).toBe(charged);
  });

  it('is charged no more than can be counted', async () => {
    const { url, logs } = await startLimited(LIMIT, { script: usage(1e300, 1, 1e300) });
    await (await post(url)).text();
    expect([(await post(url)).status, logs]).toEqual([503, []]);
  });
});
