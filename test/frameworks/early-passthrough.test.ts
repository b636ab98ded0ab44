import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { type AiProxyMultiInput, llmVariables } from 'ai-proxy-multi';
import express from 'express';
import { describe, expect, it } from 'vitest';
import { makeLimiter } from '../ai-rate-limiting/limited.ts';
import { post } from '../support/app.ts';
import {
  answerJson,
  chatAnswer,
  chatEvent,
  doneEvent,
  echoModel,
  type Script,
  startUpstream,
} from '../support/upstream.ts';
import { expresses, type Framework, frameworks, makeGateway, type Served, serveIn } from './frameworks.ts';

type Provider = Extract<AiProxyMultiInput, { providers: unknown }>['providers'][number];

function provider(endpoint: string, more: Partial<Provider> = {}): Provider {
  return { name: 'openai', model: 'gpt-4', auth: {}, override: { endpoint }, ...more };
}

interface Handed extends Served {
  /** What the next middleware found as `req.body`. */
  readonly bodies: readonly unknown[];
  readonly responses: readonly ServerResponse[];
}

/** The next middleware keeps what it is handed, and answers "handed over". */
async function startHandingOver(
  framework: Framework,
  ...providers: [Provider, ...Provider[]]
): Promise<Handed> {
  const bodies: unknown[] = [];
  const responses: ServerResponse[] = [];
  const served = await serveIn(framework, makeGateway({ providers, passthrough: true }), {
    after: [
      (req, res) => {
        bodies.push(Reflect.get(req, 'body'));
        responses.push(res);
        res.end('handed over');
      },
    ],
  });
  return { ...served, bodies, responses };
}

async function startWith(script: Script): Promise<Handed> {
  const llm = await startUpstream(script);
  return startHandingOver(frameworks[0], provider(llm.url));
}

describe.each(frameworks)('passthrough: true in $name', (framework) => {
  it("hands the LLM's JSON to the next middleware as req.body", async () => {
    const llm = await startUpstream(echoModel());
    const { url, bodies } = await startHandingOver(framework, provider(llm.url));
    expect(await (await post(`${url}/ai`)).text()).toBe('handed over');
    expect(bodies).toEqual([chatAnswer('gpt-4')]);
  });

  it('relays an error answer to the client', async () => {
    const llm = await startUpstream((_call, res) => answerJson(res, 401, { error: 'no' }));
    const { url, bodies, errors } = await startHandingOver(framework, provider(llm.url));
    const answer = await post(`${url}/ai`);
    expect([answer.status, await answer.json()]).toEqual([401, { error: 'no' }]);
    expect([bodies, errors]).toEqual([[], []]);
  });

  it('relays a stream to the client', async () => {
    const llm = await startUpstream((_call, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.end(chatEvent('Hi') + doneEvent);
    });
    const { url, bodies } = await startHandingOver(framework, provider(llm.url));
    const answer = await post(`${url}/ai`, { messages: [], stream: true });
    expect(await answer.text()).toBe(chatEvent('Hi') + doneEvent);
    expect(bodies).toEqual([]);
  });
});

describe('passthrough: true', () => {
  it('hands over the answer of the provider that was fallen back to', async () => {
    const failing = await startUpstream((_call, res) => answerJson(res, 500, {}));
    const working = await startUpstream(echoModel());
    const { url, bodies } = await startHandingOver(
      frameworks[0],
      provider(failing.url, { priority: 1 }),
      provider(working.url, { name: 'deepseek', model: 'deepseek-chat' }),
    );
    await (await post(`${url}/ai`)).text();
    expect(bodies).toMatchObject([{ model: 'deepseek-chat' }]);
  });

  it('hands over JSON that is no object', async () => {
    const { url, bodies } = await startWith((_call, res) => answerJson(res, 200, [1, 2]));
    expect(await (await post(`${url}/ai`)).text()).toBe('handed over');
    expect(bodies).toEqual([[1, 2]]);
  });

  it('relays what can have no body to the client', async () => {
    const { url, bodies } = await startWith((call, res) => {
      res.writeHead(call.method === 'HEAD' ? 200 : 204, { 'content-type': 'application/json' }).end();
    });
    expect((await fetch(`${url}/ai/v1/models`, { method: 'HEAD' })).status).toBe(200);
    expect((await post(`${url}/ai`)).status).toBe(204);
    expect(bodies).toEqual([]);
  });

  it('has set the variables when the next middleware is called', async () => {
    const { url, responses } = await startWith(echoModel());
    await (await post(`${url}/ai`)).text();
    expect(responses.map((res) => llmVariables(res))).toMatchObject([
      { llm_instance: 'openai', llm_total_tokens: 31, llm_outcome: 'complete' },
    ]);
  });

  it('leaves head and status of the answer to the next middleware', async () => {
    const { url } = await startWith((_call, res) => answerJson(res, 201, {}, { 'x-llm': 'yes' }));
    const answer = await post(`${url}/ai`);
    expect([answer.status, answer.headers.get('x-llm')]).toEqual([200, null]);
  });

  it('hands over an answer that comes in many pieces', async () => {
    const long = chatAnswer('m', 'ü'.repeat(200_000));
    const { url, bodies } = await startWith((_call, res) => answerJson(res, 200, long));
    await (await post(`${url}/ai`)).text();
    expect(bodies).toEqual([long]);
  });

  it('relays an answer that is not JSON by its type', async () => {
    const { url, bodies } = await startWith((_call, res) => {
      res.writeHead(200, { 'content-type': 'text/plain' });
      res.end('pong');
    });
    const answer = await post(`${url}/ai`);
    expect([answer.status, await answer.text()]).toEqual([200, 'pong']);
    expect(bodies).toEqual([]);
  });

  it.each([
    ['cut-off JSON', '{"choices":'],
    ['nothing', ''],
  ])('answers 502 where the JSON it should hand over is %s', async (_what, text) => {
    const { url, bodies } = await startWith((_call, res) => {
      res.writeHead(200, { 'content-type': 'application/json' });
      res.end(text);
    });
    const answer = await post(`${url}/ai`);
    expect([answer.status, await answer.json()]).toMatchObject([
      502,
      { error: { code: 'upstream_invalid_answer' } },
    ]);
    expect(bodies).toEqual([]);
  });

  it('hands over JSON that the LLM compressed unasked', async () => {
    const { url, bodies } = await startWith((_call, res) => {
      res.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
      res.end(gzipSync(JSON.stringify(chatAnswer('m'))));
    });
    await (await post(`${url}/ai`)).text();
    expect(bodies).toEqual([chatAnswer('m')]);
  });

  it('charges JSON that the LLM compressed and reported no usage for by the length of its text', async () => {
    const content = 'The quick brown fox '.repeat(1000);
    const llm = await startUpstream((_call, res) => {
      res.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
      res.end(gzipSync(JSON.stringify({ choices: [{ message: { content } }] })));
    });
    const { limiter } = makeLimiter({ limit: 1_000_000, time_window: 3600 });
    const gateway = makeGateway({ providers: [provider(llm.url)], passthrough: true });
    const { url } = await serveIn(frameworks[0], gateway, {
      before: [limiter],
      after: [(_req, res) => res.end(String(llmVariables(res)?.llm_completion_tokens))],
    });
    const tokens = Number(await (await post(`${url}/ai`)).text());
    expect(tokens).toBeGreaterThan(2500);
    expect(tokens).toBeLessThan(10_000);
  });

  it('answers 502 where the connection breaks before the JSON is complete', async () => {
    const { url, bodies } = await startWith((_call, res) => {
      res.writeHead(200, { 'content-type': 'application/json' });
      res.write('{"choices":', () => res.destroy());
    });
    const answer = await post(`${url}/ai`);
    expect([answer.status, await answer.json()]).toMatchObject([502, { error: { code: 'upstream_reset' } }]);
    expect(bodies).toEqual([]);
  });

  it('replaces what express.json() put into req.body', async () => {
    const llm = await startUpstream(echoModel());
    const gateway = makeGateway({ providers: [provider(llm.url)], passthrough: true });
    const { url } = await serveIn(frameworks[0], gateway, {
      before: [express.json()],
      after: [(req, res) => res.end(JSON.stringify(Reflect.get(req, 'body')))],
    });
    expect(await (await post(`${url}/ai`)).json()).toEqual(chatAnswer('gpt-4'));
  });
});

describe.each(expresses)('passthrough: true in front of a body parser of $name', ({ express, makeStack }) => {
  it('keeps the JSON it handed over', async () => {
    const llm = await startUpstream(echoModel());
    const gateway = makeGateway({ providers: [provider(llm.url)], passthrough: true });
    const { url, errors } = await serveIn({ makeStack }, gateway, {
      after: [express.json(), (req, res) => res.end(JSON.stringify(Reflect.get(req, 'body')))],
    });
    const answer = await post(`${url}/ai`);
    expect(errors).toEqual([]);
    expect(await answer.json()).toEqual(chatAnswer('gpt-4'));
  });
});
