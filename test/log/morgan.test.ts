import { llmVariables, type Morgan, registerMorganTokens } from 'ai-proxy-multi';
import type { Express } from 'express';
import morgan from 'morgan';
import { describe, expect, it } from 'vitest';
import { post } from '../support/app.ts';
import { connectRaw, rawPost } from '../support/raw.ts';
import { chatEvent, type Script } from '../support/upstream.ts';
import * as answers from './answers.ts';
import { answerWith, type ObservedOptions, observe, streamWith } from './observe.ts';

registerMorganTokens(morgan);

/** morgan writes a quotation mark in a token as `\\"`. */
function plainQuotes(line: string): string {
  return line.replaceAll('\\"', '"');
}

const messages = [{ role: 'user', content: 'Hi' }];

/** A gateway behind morgan, and the lines it writes. */
async function startLogged(
  format: string,
  script: Script,
  options: ObservedOptions & { immediate?: boolean } = {},
) {
  const lines: string[] = [];
  let waiting: (() => void)[] = [];
  const stream = {
    write(line: string): void {
      lines.push(line);
      for (const resolve of waiting) resolve();
      waiting = [];
    },
  };
  const { immediate = false, ...rest } = options;
  const { app } = await observe(script, {
    ...rest,
    before: (express: Express) => express.use(morgan(format, { stream, immediate })),
  });
  async function firstLine(): Promise<string> {
    while (lines.length === 0) await new Promise<void>((resolve) => waiting.push(resolve));
    return (lines[0] ?? '').trimEnd();
  }
  return { app, lines, firstLine };
}

describe('registerMorganTokens', () => {
  it('makes every variable a token of the same name', async () => {
    const names = Object.keys(llmVariables({}));
    const format = names.map((name) => `${name}=:${name}`).join('|');
    const { app, firstLine } = await startLogged(format, answerWith(answers.chat()));
    await (await post(app.url, { messages, model: 'mine', user: 'ann', tools: [{}] })).text();
    expect(plainQuotes(await firstLine())).toMatch(
      new RegExp(
        [
          'request_type=ai_chat',
          'request_llm_model=mine',
          'llm_model=gpt-4o',
          'llm_time_to_first_token=\\d+',
          'llm_prompt_tokens=2006',
          'llm_completion_tokens=300',
          'llm_total_tokens=2306',
          'llm_stream=false',
          'llm_has_tool_calls=false',
          'llm_tool_count=1',
          'llm_end_user_id=ann',
          'llm_cache_read_input_tokens=1920',
          'llm_cache_creation_input_tokens=0',
          'llm_reasoning_tokens=192',
          'llm_upstream_response_time=\\d+',
          'llm_instance=llm',
          'llm_provider=openai-compatible',
          'llm_attempts=\\[\\{"instance":"llm","status":200,"duration_ms":\\d+\\}\\]',
          'llm_outcome=complete',
          'llm_usage_source=reported',
        ].join('\\|'),
      ),
    );
  });

  it('makes tokens of the summary and the payloads too', async () => {
    const format = ':llm_summary|:llm_request|:llm_response_text';
    const config = { logging: { summaries: true, payloads: true } };
    const { app, firstLine } = await startLogged(format, answerWith(answers.chat()), { config });
    await (await post(app.url, { messages })).text();
    const [summary, request, text] = (await firstLine())
      .split('|')
      .map((json) => JSON.parse(plainQuotes(json)));
    expect(summary).toMatchObject({ total_tokens: 2306 });
    expect(request).toEqual({ messages, stream: false });
    expect(text).toEqual({ content: 'Hi you.' });
  });

  it('writes - for what is empty or was not asked for, and 0 for 0', async () => {
    const format = '[:llm_end_user_id] [:llm_summary] [:llm_tool_count]';
    const { app, firstLine } = await startLogged(format, answerWith(answers.chat()));
    await (await post(app.url)).text();
    expect(await firstLine()).toBe('[-] [-] [0]');
  });
});

describe("morgan's line", () => {
  const format = ':request_type :llm_instance :llm_total_tokens :llm_outcome';

  it('has the values of a stream when it is written', async () => {
    const { app, firstLine } = await startLogged(format, streamWith(answers.chatEvents()));
    await (await post(app.url, { messages, stream: true })).text();
    expect(await firstLine()).toBe('ai_stream llm 2306 complete');
  });

  it('has the values of a refusal', async () => {
    const { app, firstLine } = await startLogged(format, answerWith(answers.chat()));
    await post(app.url, 'no json');
    expect(await firstLine()).toBe('ai_chat - 0 rejected');
  });

  it('has the values before a request where it is written immediately', async () => {
    const { app, firstLine } = await startLogged(format, answerWith(answers.chat()), { immediate: true });
    await (await post(app.url)).text();
    expect(await firstLine()).toBe('traditional_http - 0 -');
  });

  it.each<[string, (client: Awaited<ReturnType<typeof connectRaw>>) => void]>([
    ['closes its connection', ({ socket }) => socket.destroy()],
    ['resets its connection', ({ socket }) => socket.resetAndDestroy()],
  ])('has the values when the client %s in the middle of a stream', async (_title, leave) => {
    const { app, firstLine } = await startLogged(format, (_call, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write(chatEvent('first', { usage: answers.openaiUsage }));
    });
    const client = await connectRaw(app.port);
    client.write(rawPost('/', JSON.stringify({ messages, stream: true })));
    await client.until('first');
    leave(client);
    expect(await firstLine()).toBe('ai_stream llm 2306 client_gone');
  });

  it.each<[string, (client: Awaited<ReturnType<typeof connectRaw>>) => void]>([
    ['closes its connection', ({ socket }) => socket.destroy()],
    ['resets its connection', ({ socket }) => socket.resetAndDestroy()],
  ])('has the values when the client %s while it waits', async (_title, leave) => {
    let arrived: () => void = () => {};
    const called = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const { app, firstLine } = await startLogged(format, () => arrived());
    const client = await connectRaw(app.port);
    client.write(rawPost('/', JSON.stringify({ messages })));
    await called;
    leave(client);
    expect(await firstLine()).toBe('ai_chat llm 0 client_gone');
  });

  it('has the values when the LLM breaks off', async () => {
    const { app, firstLine } = await startLogged(format, (_call, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write(chatEvent('first'), () => res.destroy());
    });
    const read = post(app.url, { messages, stream: true }).then((response) => response.text());
    await expect(read).rejects.toThrow();
    expect(await firstLine()).toBe('ai_stream llm 0 cut');
  });
});

describe("a log line of the sender's making", () => {
  const forged = 'gpt-4\r\n127.0.0.1 - admin "GET / HTTP/1.1" 200\u2028\u0085\u001b[31m\u009b31m\u007fz';
  const fields = { model: forged, user: forged, messages: [{ role: 'user', content: forged }] };
  const options = { config: { logging: { payloads: true } }, instance: { options: {} } };

  it.each([':request_llm_model', ':llm_model', ':llm_end_user_id', ':llm_request'])(
    'is not written through %s',
    async (token) => {
      const { app, lines, firstLine } = await startLogged(token, answerWith(answers.chat()), options);
      await (await post(app.url, fields)).text();
      expect(await firstLine()).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
      expect(lines).toHaveLength(1);
    },
  );

  it('is not written by a morgan that takes tokens as they are, as it did before 1.12', async () => {
    const tokens = new Map<string, Parameters<Morgan['token']>[1]>();
    registerMorganTokens({ token: (name, read) => tokens.set(name, read) });
    const texts: unknown[] = [];
    const { app, first } = await observe(answerWith(answers.chat()), {
      ...options,
      before: (express) =>
        express.use((req, res, next) => {
          res.on('finish', () => {
            for (const read of tokens.values()) texts.push(read(req, res));
          });
          next();
        }),
    });
    await (await post(app.url, fields)).text();
    await first;
    expect(texts.filter((text) => String(text).includes('gpt-4'))).toHaveLength(4);
    for (const text of texts) expect(String(text)).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
  });

  it('leaves names in any script readable', async () => {
    const { app, firstLine } = await startLogged(':llm_end_user_id', answerWith(answers.chat()));
    await (await post(app.url, { messages, user: 'Größe 你好' })).text();
    expect(await firstLine()).toBe('Größe 你好');
  });
});
