import { describe, expect, it } from 'vitest';
import * as answers from '../log/answers.ts';
import { answerWith, streamWith } from '../log/observe.ts';
import { type App, post } from '../support/app.ts';
import { rawAnswer, startRawUpstream } from '../support/broken-upstreams.ts';
import { connectRaw, rawPost } from '../support/raw.ts';
import { answerJson, chatEvent, doneEvent, type Script } from '../support/upstream.ts';
import { HOUR, type Limited, startLimited, usedOf } from './limited.ts';

const LIMITS = { limit: 10_000_000, time_window: HOUR };

/** 44 characters. */
const SENTENCE = 'The quick brown fox jumps over the lazy dog ';

function words(count: number): string {
  return SENTENCE.repeat(count);
}

/** The prompt is the only long text in it. */
function asking(prompt: unknown, more: object = {}): object {
  return { messages: [{ role: 'user', content: prompt }], ...more };
}

function openAndSend(events: string): Script {
  return (_call, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.write(events);
  };
}

interface Estimated {
  readonly prompt: number;
  readonly completion: number;
}

/** The variables of the app's first request, which must be an estimate, and charged as such. */
async function estimateOf({ app, url }: Pick<Limited, 'app' | 'url'>): Promise<Estimated> {
  const [first] = await app.ended(1);
  expect(first?.llm_usage_source).toBe('estimated');
  const prompt = Number(first?.llm_prompt_tokens);
  const completion = Number(first?.llm_completion_tokens);
  expect(Number.isInteger(prompt) && Number.isInteger(completion)).toBe(true);
  expect(first?.llm_total_tokens).toBe(prompt + completion);
  expect(await usedOf(url)).toBe(prompt + completion);
  return { prompt, completion };
}

/** Whether a number of tokens is what so many bytes of text might be, give or take a factor of two. */
function expectPlausible(tokens: number, bytes: number): void {
  expect(tokens).toBeGreaterThanOrEqual(bytes / 4 / 2);
  expect(tokens).toBeLessThanOrEqual((bytes / 4) * 2);
}

/** Sends a request, waits for what is to come first, and hangs up. */
async function hangUp(
  app: App,
  body: object | string,
  until: string | Promise<unknown>,
  path = '/v1/chat/completions',
): Promise<void> {
  const client = await connectRaw(app.port);
  client.write(rawPost(path, typeof body === 'string' ? body : JSON.stringify(body)));
  await (typeof until === 'string' ? client.until(until) : until);
  client.socket.destroy();
}

/** Events of a word each, as an LLM sends them: far more framing than text. */
function wordEvents(text: string): string {
  return text
    .split(/(?<= )/)
    .map((word) => chatEvent(word))
    .join('');
}

const END = 'LAST';

describe('a stream whose client has hung up half-way is charged by length', () => {
  it('of the prompt and of what has come, without the framing of the events', async () => {
    const limited = await startLimited(LIMITS, {
      script: openAndSend(wordEvents(words(20)) + chatEvent(END)),
    });
    await hangUp(limited.app, asking(words(50), { stream: true }), END);
    const { prompt, completion } = await estimateOf(limited);
    expectPlausible(prompt, words(50).length);
    expectPlausible(completion, words(20).length);
  });

  it('of all of it, not only of its start', async () => {
    const limited = await startLimited(LIMITS, {
      script: openAndSend(wordEvents(words(1000)) + chatEvent(END)),
    });
    await hangUp(limited.app, asking('Hi', { stream: true }), END);
    expectPlausible((await estimateOf(limited)).completion, words(1000).length);
  });

  it('where it came in a few long events', async () => {
    const limited = await startLimited(LIMITS, {
      script: openAndSend(chatEvent(words(500)) + chatEvent(words(500)) + chatEvent(END)),
    });
    await hangUp(limited.app, asking('Hi', { stream: true }), END);
    expectPlausible((await estimateOf(limited)).completion, words(1000).length);
  });

  it("of Anthropic's events, where they report nothing", async () => {
    const event = (text: string): string =>
      `event: content_block_delta\ndata: ${JSON.stringify({
        type: 'content_block_delta',
        index: 0,
        delta: { type: 'text_delta', text },
      })}\n\n`;
    const limited = await startLimited(LIMITS, {
      instance: () => ({ provider: 'anthropic' }),
      script: openAndSend(
        words(20)
          .split(/(?<= )/)
          .map(event)
          .join('') + event(END),
      ),
    });
    const body = { ...asking(words(20)), system: words(100), max_tokens: 1000, stream: true };
    await hangUp(limited.app, body, END, '/v1/messages');
    const { prompt, completion } = await estimateOf(limited);
    expectPlausible(prompt, words(120).length);
    expectPlausible(completion, words(20).length);
  });

  it("of a response's events", async () => {
    const event = (delta: string): string =>
      `event: response.output_text.delta\ndata: ${JSON.stringify({
        type: 'response.output_text.delta',
        item_id: 'msg_01',
        output_index: 0,
        content_index: 0,
        delta,
      })}\n\n`;
    const limited = await startLimited(LIMITS, {
      script: openAndSend(
        words(20)
          .split(/(?<= )/)
          .map(event)
          .join('') + event(END),
      ),
    });
    const body = { input: words(20), instructions: words(100), stream: true };
    await hangUp(limited.app, body, END, '/v1/responses');
    const { prompt, completion } = await estimateOf(limited);
    expectPlausible(prompt, words(120).length);
    expectPlausible(completion, words(20).length);
  });

  it('of the arguments of a tool call, about a token an event', async () => {
    const call = (piece: string): string =>
      chatEvent('', {
        choices: [{ index: 0, delta: { tool_calls: [{ index: 0, function: { arguments: piece } }] } }],
      });
    const limited = await startLimited(LIMITS, {
      script: openAndSend(call('{"a":1,').repeat(200) + chatEvent(END)),
    });
    await hangUp(limited.app, asking('Hi', { stream: true }), END);
    const { completion } = await estimateOf(limited);
    expect(completion).toBeGreaterThanOrEqual(100);
    expect(completion).toBeLessThanOrEqual(400);
  });

  it("of a model's thoughts before a short answer, about a token an event", async () => {
    const thought = chatEvent('', { choices: [{ index: 0, delta: { reasoning_content: 'so' } }] });
    const limited = await startLimited(LIMITS, {
      script: openAndSend(thought.repeat(30) + chatEvent('Yes. ') + chatEvent(END)),
    });
    await hangUp(limited.app, asking('Hi', { stream: true }), END);
    const { completion } = await estimateOf(limited);
    expect(completion).toBeGreaterThanOrEqual(15);
    expect(completion).toBeLessThanOrEqual(60);
  });
});

describe('text in any script is charged about a token a character', () => {
  const chinese = '敏捷的棕色狐狸跳过了懒惰的狗'.repeat(100);

  /** A character has three bytes, or six where it is escaped, and about a token. */
  function expectOfCharacters(tokens: number): void {
    expect(tokens).toBeGreaterThanOrEqual(chinese.length / 2);
    expect(tokens).toBeLessThanOrEqual(chinese.length * 2);
  }

  it('in a prompt, which has no spaces and is no image for that', async () => {
    const limited = await startLimited(LIMITS, { script: openAndSend(chatEvent(END)) });
    await hangUp(limited.app, asking(chinese, { stream: true }), END);
    expectOfCharacters((await estimateOf(limited)).prompt);
  });

  it('in a prompt that is written in escapes, as Python does', async () => {
    const limited = await startLimited(LIMITS, { script: openAndSend(chatEvent(END)) });
    const escaped = [...chinese].map((character) => `\\u${character.charCodeAt(0).toString(16)}`).join('');
    const body = `{"stream":true,"messages":[{"role":"user","content":"${escaped}"}]}`;
    await hangUp(limited.app, body, END);
    expectOfCharacters((await estimateOf(limited)).prompt);
  });

  it('in an answer', async () => {
    const limited = await startLimited(LIMITS, {
      script: openAndSend([...chinese].map((character) => chatEvent(character)).join('') + chatEvent(END)),
    });
    await hangUp(limited.app, asking('Hi', { stream: true }), END);
    expectOfCharacters((await estimateOf(limited)).completion);
  });

  it('in an answer that is written in escapes', async () => {
    const events = [...chinese].map((character) =>
      chatEvent('%').replace('%', `\\u${character.charCodeAt(0).toString(16)}`),
    );
    const limited = await startLimited(LIMITS, { script: openAndSend(events.join('') + chatEvent(END)) });
    await hangUp(limited.app, asking('Hi', { stream: true }), END);
    expectOfCharacters((await estimateOf(limited)).completion);
  });
});

describe('files in a prompt are not charged as if they were text', () => {
  const base64 = Buffer.alloc(300_000, 'pixels of an image').toString('base64');

  it.each([
    [
      "an image in a chat's data URL",
      [
        { type: 'text', text: words(20) },
        { type: 'image_url', image_url: { url: `data:image/png;base64,${base64}` } },
      ],
    ],
    [
      "Anthropic's image",
      [
        { type: 'image', source: { type: 'base64', media_type: 'image/png', data: base64 } },
        { type: 'text', text: words(20) },
      ],
    ],
    [
      'a file with a name',
      [
        { type: 'file', file: { file_data: `data:application/pdf;name=a.pdf;base64,${base64}` } },
        { type: 'text', text: words(20) },
      ],
    ],
    [
      'a file in lines of 76 characters',
      [
        { type: 'file', file: { file_data: base64.replaceAll(/.{76}/g, '$&\r\n') } },
        { type: 'text', text: words(20) },
      ],
    ],
  ])('%s', async (_what, content) => {
    const limited = await startLimited(LIMITS, { script: openAndSend(chatEvent(END)) });
    await hangUp(limited.app, asking(content, { stream: true }), END);
    expectPlausible((await estimateOf(limited)).prompt, words(20).length);
  });

  it.each([
    ['slashes, as PHP does', '/', '\\/'],
    ['plus signs, as .NET does', '+', '\\u002B'],
  ])('an image whose client escapes %s', async (_what, plain, escaped) => {
    const bytes = Buffer.from(Array.from({ length: 30_000 }, (_, index) => (index * index * 31) >> 5));
    const image = bytes.toString('base64');
    expect(image.slice(0, 200)).toContain(plain);
    const limited = await startLimited(LIMITS, { script: openAndSend(chatEvent(END)) });
    const body = JSON.stringify(asking([words(20), image], { stream: true }));
    await hangUp(limited.app, body.replaceAll(plain, escaped), END);
    expectPlausible((await estimateOf(limited)).prompt, words(20).length);
  });

  it.each([
    ['lines of numbers', '12.5,17,300\n'.repeat(400)],
    ['source code without spaces', 'if(a){b();c[0]=d;}'.repeat(300)],
    ['JSON', JSON.stringify(Array.from({ length: 300 }, (_, id) => ({ id, on: true })))],
  ])('but text without spaces is: %s', async (_what, text) => {
    const limited = await startLimited(LIMITS, { script: openAndSend(chatEvent(END)) });
    await hangUp(limited.app, asking(text, { stream: true }), END);
    expectPlausible((await estimateOf(limited)).prompt, text.length);
  });
});

describe('a prompt that begins like a file and goes on as text', () => {
  const beginning = Buffer.alloc(3000, 'pixels of an image').toString('base64');

  it.each([
    ['base64', beginning],
    ['a data URL', `data:image/png;base64,${beginning}`],
  ])('is charged as text: %s', async (_what, start) => {
    const limited = await startLimited(LIMITS, { script: openAndSend(chatEvent(END)) });
    const text = start + words(1000);
    await hangUp(limited.app, asking(text, { stream: true }), END);
    expectPlausible((await estimateOf(limited)).prompt, text.length);
  });
});

describe('a prompt of token numbers is charged a token each', () => {
  const tokens = Array.from({ length: 5000 }, (_, index) => index * 17);

  it.each([
    ['one list', tokens, 5000],
    ['several lists', [tokens, tokens], 10_000],
    ['lists and text', [tokens, words(100)], 5000 + words(100).length / 4],
  ])('in embeddings: %s', async (_what, input, expected) => {
    const limited = await startLimited(LIMITS, { script: answerWith({ data: [] }) });
    await (await post(`${limited.url}/v1/embeddings`, { input })).text();
    const { prompt } = await estimateOf(limited);
    expect(Math.abs(prompt - expected)).toBeLessThanOrEqual(2);
  });

  it('in the prompt of the old completions', async () => {
    const limited = await startLimited(LIMITS, {
      script: streamWith('data: {"choices":[{"text":"Hi"}]}\n\n'),
    });
    await (await post(`${limited.url}/v1/completions`, { prompt: tokens, stream: true })).text();
    expect((await estimateOf(limited)).prompt).toBe(5000);
  });

  it('however they are written', async () => {
    const limited = await startLimited(LIMITS, { script: answerWith({ data: [] }) });
    const input = '[ 1 ,\n-2,\t[3.5e+2 ,4] , "" , 0,true ]';
    await (await post(`${limited.url}/v1/embeddings`, `{"input":${input},"dimensions":512}`)).text();
    expect((await estimateOf(limited)).prompt).toBeLessThanOrEqual(6);
    expect(Number(limited.app.finished[0]?.llm_prompt_tokens)).toBeGreaterThanOrEqual(5);
  });

  it('which numbers in the schemas of tools are not', async () => {
    const limited = await startLimited(LIMITS, { script: openAndSend(chatEvent(END)) });
    const tools = [{ function: { parameters: { minimum: 1, maximum: 2, maxLength: 3 } } }];
    await hangUp(limited.app, { messages: [], tools, stream: true }, END);
    const bytes = '"function""parameters""minimum""maximum""maxLength"'.length;
    expect(Math.abs((await estimateOf(limited)).prompt - bytes / 4)).toBeLessThanOrEqual(1.5);
  });
});

describe('an answer in the background', () => {
  const input = words(100);
  const queued = {
    id: 'resp_1',
    object: 'response',
    background: true,
    status: 'queued',
    instructions: words(100),
    output: [],
    usage: null,
  };

  async function chargeOf(answer: object): Promise<Estimated> {
    const limited = await startLimited(LIMITS, { script: answerWith(answer) });
    const body = { input, instructions: words(100), background: true };
    await (await post(`${limited.url}/v1/responses`, body)).text();
    return estimateOf(limited);
  }

  it.each(['queued', 'in_progress'])('that is %s costs its prompt, and no text yet', async (status) => {
    const { prompt, completion } = await chargeOf({ ...queued, status });
    expectPlausible(prompt, words(200).length);
    expect(completion).toBe(0);
  });

  it('costs its text as well where there is some already', async () => {
    const content = [{ type: 'output_text', text: words(50) }];
    const output = [{ type: 'message', role: 'assistant', content }];
    const { completion } = await chargeOf({ ...queued, status: 'completed', instructions: null, output });
    expectPlausible(completion, words(50).length);
  });
});

describe('the tools that a model may call', () => {
  it('are charged with the prompt', async () => {
    const limited = await startLimited(LIMITS, { script: openAndSend(chatEvent(END)) });
    const tools = [{ type: 'function', function: { name: 'weather', description: words(100) } }];
    await hangUp(limited.app, asking('Hi', { tools, stream: true }), END);
    expectPlausible((await estimateOf(limited)).prompt, words(100).length);
  });
});

describe('a client that leaves before the first byte of the answer', () => {
  it('has its prompt charged, and nothing else', async () => {
    let arrived: () => void = () => {};
    const called = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const limited = await startLimited(LIMITS, { script: () => arrived() });
    await hangUp(limited.app, asking(words(100)), called);
    const { prompt, completion } = await estimateOf(limited);
    expectPlausible(prompt, words(100).length);
    expect(completion).toBe(0);
  });

  it('has nothing charged where nothing had been sent to an LLM', async () => {
    const limited = await startLimited(LIMITS);
    const received = new Promise((resolve) => limited.app.server.once('request', resolve));
    const client = await connectRaw(limited.app.port);
    client.write(rawPost('/', JSON.stringify(asking(words(100)))).slice(0, -10));
    await received;
    client.socket.destroy();
    const [first] = await limited.app.ended(1);
    expect(first).toMatchObject({ llm_usage_source: 'none', llm_outcome: 'client_gone' });
    expect(await usedOf(limited.url)).toBe(0);
  });
});

describe('an LLM that reports nothing', () => {
  it('has its whole answer charged by length', async () => {
    const { usage: _, ...silent } = answers.chat();
    const body = { ...silent, choices: [{ index: 0, message: { role: 'assistant', content: words(100) } }] };
    const limited = await startLimited(LIMITS, { script: answerWith(body) });
    await (await post(limited.url, asking(words(30)))).text();
    const { prompt, completion } = await estimateOf(limited);
    expectPlausible(prompt, words(30).length);
    expectPlausible(completion, words(100).length);
  });

  it('has a short answer charged by its text, not by what stands around it', async () => {
    const limited = await startLimited(LIMITS, {
      script: answerWith({
        id: 'x'.repeat(2000),
        choices: [{ index: 0, message: { role: 'assistant', content: words(5) } }],
      }),
    });
    await (await post(limited.url, asking('Hi'))).text();
    expectPlausible((await estimateOf(limited)).completion, words(5).length);
  });

  it('has its whole stream charged by length', async () => {
    const limited = await startLimited(LIMITS, { script: streamWith(wordEvents(words(100)) + doneEvent) });
    await (await post(limited.url, asking(words(30), { stream: true }))).text();
    const { prompt, completion } = await estimateOf(limited);
    expectPlausible(prompt, words(30).length);
    expectPlausible(completion, words(100).length);
    expect(limited.app.finished[0]).toMatchObject({ llm_outcome: 'complete' });
  });

  it('has no vectors charged: embeddings cost their input', async () => {
    const embedding = Array.from({ length: 1536 }, (_, index) => index / 1536);
    const limited = await startLimited(LIMITS, { script: answerWith({ data: [{ embedding }] }) });
    await (await post(`${limited.url}/v1/embeddings`, { input: [words(10), words(10)] })).text();
    const { prompt, completion } = await estimateOf(limited);
    expectPlausible(prompt, words(20).length);
    expect(completion).toBe(0);
  });

  it('is charged by limit_strategy: the prompt alone', async () => {
    const limited = await startLimited(
      { ...LIMITS, limit_strategy: 'prompt_tokens' },
      { script: streamWith(wordEvents(words(100))) },
    );
    await (await post(limited.url, asking(words(10), { stream: true }))).text();
    expectPlausible(await usedOf(limited.url), words(10).length);
  });

  it.each(['prompt_tokens + 3 * completion_tokens', 'input_tokens + 3 * output_tokens'])(
    'is charged by %s',
    async (cost_expr) => {
      const limited = await startLimited(
        { ...LIMITS, limit_strategy: 'expression', cost_expr },
        { script: streamWith(wordEvents(words(100))) },
      );
      await (await post(limited.url, asking(words(10), { stream: true }))).text();
      const [first] = limited.app.finished;
      const cost = Number(first?.llm_prompt_tokens) + 3 * Number(first?.llm_completion_tokens);
      expect(await usedOf(limited.url)).toBe(cost);
    },
  );
});

describe('an answer that is cut short is charged by length', () => {
  it('where the upstream dies in the middle of a stream', async () => {
    const limited = await startLimited(LIMITS, {
      script(_call, res) {
        res.writeHead(200, { 'content-type': 'text/event-stream' });
        res.write(wordEvents(words(50)), () => res.destroy());
      },
    });
    await expect((await post(limited.url, asking('Hi', { stream: true }))).text()).rejects.toThrow();
    expectPlausible((await estimateOf(limited)).completion, words(50).length);
    expect(limited.app.finished[0]).toMatchObject({ llm_outcome: 'cut' });
  });

  it('where the upstream dies in the middle of a plain answer', async () => {
    const text = JSON.stringify({ choices: [{ message: { content: words(500) } }] });
    const upstream = await startRawUpstream((socket) => {
      socket.end(rawAnswer('200 OK', text).slice(0, -1000));
    });
    const { app, url } = await startLimited(LIMITS, {
      instance: () => ({ override: { endpoint: upstream.url } }),
    });
    await expect(post(url, asking('Hi')).then((answer) => answer.text())).rejects.toThrow();
    const [first] = await app.ended(1);
    expect(first).toMatchObject({ llm_usage_source: 'estimated', llm_outcome: 'cut' });
    expectPlausible(Number(first?.llm_completion_tokens), words(500).length);
  });

  it('where max_response_bytes ends a stream', async () => {
    const events = wordEvents(words(200));
    const limited = await startLimited(LIMITS, {
      config: { max_response_bytes: 20_000 },
      async script(_call, res) {
        res.writeHead(200, { 'content-type': 'text/event-stream' });
        for (let at = 0; at < events.length && !res.destroyed; at += 2000) {
          await new Promise((resolve) => res.write(events.slice(at, at + 2000), resolve));
        }
      },
    });
    await expect((await post(limited.url, asking('Hi', { stream: true }))).text()).rejects.toThrow();
    const share = 20_000 / events.length;
    expectPlausible((await estimateOf(limited)).completion, words(200).length * share);
  });
});

describe('a stream that is charged by an estimate', () => {
  it('counts against the quota of the next request', async () => {
    const { app, url } = await startLimited(
      { limit: 100, time_window: HOUR },
      { script: openAndSend(wordEvents(words(100)) + chatEvent(END)) },
    );
    await hangUp(app, asking('Hi', { stream: true }), END);
    await app.ended(1);
    expect((await post(url)).status).toBe(503);
  });

  it('is estimated where the client asks for a path that is passed through, too', async () => {
    const limited = await startLimited(LIMITS, { script: openAndSend(chatEvent(END)) });
    await hangUp(limited.app, { prompt: words(50), stream: true }, END, '/v1/completions');
    const [first] = await limited.app.ended(1);
    expect(first).toMatchObject({ llm_usage_source: 'estimated', llm_total_tokens: expect.any(Number) });
    expect(await usedOf(limited.url)).toBeGreaterThan(0);
  });

  it('is estimated no more once the LLM has reported, were it 0', async () => {
    const usage = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 };
    const limited = await startLimited(LIMITS, {
      script: openAndSend(chatEvent(words(50), { usage }) + chatEvent(END)),
    });
    await hangUp(limited.app, asking('Hi', { stream: true }), END);
    const [first] = await limited.app.ended(1);
    expect(first).toMatchObject({ llm_usage_source: 'reported', llm_total_tokens: 0 });
  });
});

describe('a failed instance that an estimate could be made for', () => {
  it('is not charged the prompt it failed on', async () => {
    const limited = await startLimited(LIMITS, {
      names: ['a', 'b'],
      instance: (name) => ({ priority: name === 'a' ? 2 : 1 }),
      config: { fallback_strategy: ['http_5xx'] },
      script(call, res) {
        if (call.body.includes('model-a')) answerJson(res, 500, {});
        else openAndSend(chatEvent(END))(call, res, res.req);
      },
    });
    await hangUp(limited.app, asking(words(50), { stream: true }), END);
    const [first] = await limited.app.ended(1);
    expect(first).toMatchObject({ llm_usage_source: 'estimated', llm_instance: 'b' });
    expect(await usedOf(limited.url, 'a')).toBe(0);
  });
});
