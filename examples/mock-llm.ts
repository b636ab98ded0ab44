/**
 * A stand-in for an LLM provider: OpenAI's and Anthropic's HTTP APIs with canned answers, on the loopback address,
 * with faults on demand (`mock-llm/faults.ts`). The examples run against it, and so can your tests.
 *
 *     npx tsx examples/mock-llm.ts 8000
 *     curl http://127.0.0.1:8000/v1/chat/completions \
 *       -d '{"model":"gpt-4","messages":[{"role":"user","content":"What is 1+1?"}]}'
 */

import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { text as readText } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { findEndpoint } from './mock-llm/endpoints.ts';
import { chooseFault, type Fault, SLOW_LATENCY_MS, SLOW_TOKEN_DELAY_MS, spoil } from './mock-llm/faults.ts';
import { sendAnswer } from './mock-llm/send-answer.ts';

export interface MockLlmOptions {
  /** Default: a free one. */
  port?: number;
  /** Stands in the answers' `x-mock-llm` header, and names this mock in `x-mock-fail`. Default `mock`. */
  name?: string;
  /** Played for every request, or every nth one. Default: none, or with `failEvery` a 429. */
  fail?: Fault;
  failEvery?: number;
  /** Milliseconds before an answer begins. Default 0. */
  latencyMs?: number;
  /** Milliseconds between two events of a stream. Default 0. */
  tokenDelayMs?: number;
}

export interface RecordedRequest {
  method: string;
  /** Path and query, as they arrived. */
  url: string;
  headers: IncomingHttpHeaders;
  /** Parsed JSON, the text where it is none, `undefined` where there was no body. */
  body: unknown;
}

export interface MockLlm {
  /** Without a slash at the end. */
  url: string;
  port: number;
  /** The last 100, oldest first. */
  requests: readonly RecordedRequest[];
  /** Drops every connection, stalled ones too. */
  close(): Promise<void>;
}

const MAX_RECORDED = 100;

export async function startMockLlm(options: MockLlmOptions = {}): Promise<MockLlm> {
  const requests: RecordedRequest[] = [];
  let count = 0;

  async function serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const body = await readBody(req);
    const request = { method: req.method ?? 'GET', url: req.url ?? '/', headers: req.headers, body };
    requests.push(request);
    if (requests.length > MAX_RECORDED) requests.shift();
    count += 1;
    await answerRequest(request, res, options, count);
  }

  const server = createServer((req, res) => {
    serve(req, res).catch((error: unknown) => {
      if (res.destroyed) return; // a client may hang up whenever it likes
      console.error('mock-llm:', error);
      res.destroy();
    });
  });
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');

  return {
    url: `http://127.0.0.1:${address.port}`,
    port: address.port,
    requests,
    async close() {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answerRequest(
  { method, url: target, headers, body }: RecordedRequest,
  res: ServerResponse,
  options: MockLlmOptions,
  count: number,
): Promise<void> {
  const url = new URL(`http://127.0.0.1${target}`);
  const endpoint = findEndpoint(method, url);
  const fault = chooseFault(url, headers, options, count);
  if (fault === 'stall') return;
  if (fault === 'reset') {
    res.socket?.resetAndDestroy();
    return;
  }
  res.setHeader('x-mock-llm', options.name ?? 'mock');
  res.setHeader('x-request-id', `req_${randomUUID().replaceAll('-', '')}`);
  await sendAnswer(res, spoil(endpoint.answer(body, url), endpoint, fault), {
    latencyMs: Math.max(options.latencyMs ?? 0, fault === 'slow' ? SLOW_LATENCY_MS : 0),
    tokenDelayMs: Math.max(options.tokenDelayMs ?? 0, fault === 'slow' ? SLOW_TOKEN_DELAY_MS : 0),
    isCut: fault === 'cut',
  });
}

async function readBody(req: IncomingMessage): Promise<unknown> {
  const body = await readText(req);
  if (body === '') return undefined;
  try {
    return JSON.parse(body);
  } catch {
    return body; // recorded as it came; no endpoint finds a field in it, so it is refused
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { url } = await startMockLlm({ port: Number(process.argv[2] ?? 0) });
  console.log(`A mock LLM listens on ${url}`);
}
