import type { Express } from 'express';
import { describe, expect, it } from 'vitest';
import { type App, instance, post, startApp } from '../support/app.ts';
import { type RawAnswer, sendRaw } from '../support/gateway.ts';
import { ownPort } from '../support/own-port.ts';
import { connectRaw, rawPost } from '../support/raw.ts';
import { echoModel, startUpstream, type Upstream } from '../support/upstream.ts';

interface BadRequest {
  readonly status: number;
  readonly code: string;
  readonly headers?: readonly string[];
  /** With its `content-length` unless `headers` announce something else. */
  readonly body?: string;
  /** Anthropic's name for the kind of error, where it is not `invalid_request_error`. */
  readonly anthropicType?: string;
}

const LIMIT = 20_000;

const BAD_REQUESTS: readonly BadRequest[] = [
  { status: 400, code: 'unsupported_content_type', headers: ['Content-Type: text/plain'], body: '{}' },
  { status: 415, code: 'unsupported_content_encoding', headers: ['Content-Encoding: br'], body: '{}' },
  { status: 400, code: 'empty_body', body: '' },
  { status: 400, code: 'invalid_json', body: '{"model":secret-text}' },
  { status: 400, code: 'invalid_utf8', body: '{"model":"\xff"}' },
  { status: 400, code: 'body_not_an_object', body: '["secret-text"]' },
  { status: 400, code: 'body_too_deep', body: `{"a":${'['.repeat(1001)}` },
  { status: 400, code: 'forbidden_key', body: '{"__proto__":"secret-text"}' },
  {
    status: 413,
    code: 'body_too_large',
    body: `{"a":"${'x'.repeat(LIMIT)}"}`,
    anthropicType: 'request_too_large',
  },
  {
    status: 413,
    code: 'body_too_large',
    headers: ['Content-Length: 99999'],
    anthropicType: 'request_too_large',
  },
  { status: 408, code: 'request_timeout', headers: ['Content-Length: 10'], body: '{' },
  {
    status: 400,
    code: 'body_unavailable',
    headers: ['X-Consume: yes', 'Content-Length: 2'],
    body: '{}',
  },
];

/** Throws away the bodies that a test asks it to. */
function consume(app: Express): void {
  app.use((req, _res, next) => {
    if (req.get('x-consume') === undefined) next();
    else req.resume().on('end', next);
  });
}

async function start(): Promise<{ app: App; upstream: Upstream }> {
  const upstream = await startUpstream(echoModel());
  const app = await startApp(
    {
      instances: [instance('claude', upstream.url, { provider: 'anthropic' }), instance('gpt', upstream.url)],
      timeout: 600,
      max_req_body_size: LIMIT,
    },
    { mount: '/ai', before: consume },
  );
  return { app, upstream };
}

function send(app: App, path: string, { headers = [], body = '' }: BadRequest): Promise<RawAnswer> {
  const announced = headers.some((header) => header.startsWith('Content-Length'));
  const length = announced ? [] : [`Content-Length: ${body.length}`];
  return sendRaw(app.port, `POST ${path}`, [...headers, ...length], body);
}

/** What every refusal has in common, whatever its body looks like. */
async function expectRefused(
  { app, upstream }: { app: App; upstream: Upstream },
  path: string,
  answer: RawAnswer,
  request: BadRequest,
): Promise<void> {
  expect(answer.status).toBe(request.status);
  expect(answer.headers).toContain('content-type: application/json');
  expect(answer.body).not.toContain('secret-text');
  expect(upstream.calls).toEqual([]);
  expect(app.finished[0]?.llm_outcome).toBe(request.status === 408 ? 'timeout' : 'rejected');
  expect(app.finished[0]?.llm_attempts).toEqual([]);
  expect((await post(app.url + path, { messages: [], input: 'x' })).status).toBe(200);
  expect(app.finished).toHaveLength(2);
}

const openaiPaths = ['/ai/v1/chat/completions', '/ai/v1/responses', '/ai/v1/embeddings', '/ai'];

describe.each(openaiPaths)(
  "a bad request to %s is answered in OpenAI's shape, and the next is served",
  (path) => {
    it.each(BAD_REQUESTS)('$status $code', async (request) => {
      const gateway = await start();
      const answer = await send(gateway.app, path, request);
      expect(JSON.parse(answer.body)).toEqual({
        error: {
          message: expect.stringMatching(/\w+ .*\.$/),
          type: 'invalid_request_error',
          param: null,
          code: request.code,
        },
      });
      await expectRefused(gateway, path, answer, request);
    });
  },
);

const anthropicPaths = [
  '/ai/v1/messages',
  '/ai/v1/messages/count_tokens',
  '/ai/v1/messages/batches',
  '/ai/v1/messages/batches/b1/cancel',
];

describe.each(anthropicPaths)(
  "a bad request to %s is answered in Anthropic's shape, and the next is served",
  (path) => {
    it.each(BAD_REQUESTS)('$status $code', async (request) => {
      const gateway = await start();
      const answer = await send(gateway.app, path, request);
      expect(JSON.parse(answer.body)).toEqual({
        type: 'error',
        error: {
          type: request.anthropicType ?? 'invalid_request_error',
          message: expect.stringMatching(/\w+ .*\.$/),
          code: request.code,
        },
      });
      await expectRefused(gateway, path, answer, request);
    });
  },
);

describe('an LLM that cannot be reached', () => {
  it("is told in Anthropic's shape to who counts tokens, and the body is sent as it is", async () => {
    const upstream = await startUpstream(echoModel());
    const down = instance('claude', `http://127.0.0.1:${await ownPort()}`, { provider: 'anthropic' });
    const app = await startApp({ instances: [down] });
    const body = '{ "model": "claude", "messages": [] }';
    const response = await post(`${app.url}/v1/messages/count_tokens`, body);
    expect([response.status, await response.json()]).toMatchObject([
      502,
      { type: 'error', error: { code: 'upstream_unreachable' } },
    ]);
    const up = instance('claude', upstream.url, { provider: 'anthropic', options: {} });
    app.middleware.update({ instances: [up] });
    await post(`${app.url}/v1/messages/count_tokens`, body);
    expect(upstream.calls).toMatchObject([{ url: '/v1/messages/count_tokens', body }]);
  });
});

describe('a protocol that no instance speaks', () => {
  it("is refused in Anthropic's shape on /v1/messages", async () => {
    const upstream = await startUpstream(echoModel());
    const app = await startApp({ instances: [instance('gpt', upstream.url)] });
    const response = await post(`${app.url}/v1/messages`);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      type: 'error',
      error: { type: 'invalid_request_error', code: 'protocol_not_supported' },
    });
  });

  it('is refused on /converse with a message where Bedrock has it, and a code', async () => {
    const { app } = await start();
    const response = await post(`${app.url}/ai/model/m/converse`);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      message: expect.stringContaining('bedrock-converse'),
      error: { code: 'protocol_not_supported' },
    });
  });
});

describe('after a refusal', () => {
  it('of a body that has come whole, the connection serves the next request', async () => {
    const { app } = await start();
    const client = await connectRaw(app.port);
    client.write(rawPost('/ai', '{"messages":'));
    expect(await client.until('invalid_json')).not.toContain('connection: close');
    client.write(rawPost('/ai', '{"messages":[]}'));
    await client.until('HTTP/1.1 200 ');
  });

  it('of a body that has not come whole, the rest is not taken for a request', async () => {
    const { app, upstream } = await start();
    const client = await connectRaw(app.port);
    const smuggled = 'GET /ai/v1/models HTTP/1.1\r\nHost: a\r\n\r\n';
    client.write('POST /ai HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 5000\r\n\r\n');
    await client.until('unsupported_content_type');
    client.write(smuggled);
    expect((await client.closed()).match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect(upstream.calls).toEqual([]);
  });
});
