import { describe, expect, it } from 'vitest';
import { sendRaw, startGateway } from '../support/gateway.ts';

const METHODS = ['GET', 'HEAD', 'DELETE', 'OPTIONS'];

describe.each(METHODS)('%s without a body', (method) => {
  it('passes through: method, path below the mount point, query', async () => {
    const { app, upstream } = await startGateway({}, { mount: '/ai' });
    const answer = await sendRaw(app.port, `${method} /ai/v1/files/file-1?limit=2&after=a%20b`);
    expect(answer.status).toBe(200);
    expect(upstream.calls).toMatchObject([{ method, url: '/v1/files/file-1?limit=2&after=a%20b', body: '' }]);
    expect(upstream.calls[0]?.headers).not.toHaveProperty('content-type');
    expect(upstream.calls[0]?.headers).not.toHaveProperty('transfer-encoding');
  });

  it.each(['/v1/chat/completions', '/v1/messages', '/', '/anything'])(
    'passes through on %s too',
    async (path) => {
      const { app, upstream } = await startGateway();
      expect((await sendRaw(app.port, `${method} ${path}`)).status).toBe(200);
      expect(upstream.calls).toMatchObject([{ method, url: path, body: '' }]);
    },
  );

  it('passes through whatever content-type, content-encoding and length 0 it claims', async () => {
    const { app, upstream } = await startGateway();
    const headers = ['Content-Type: text/plain', 'Content-Encoding: gzip', 'Content-Length: 0'];
    expect((await sendRaw(app.port, `${method} /v1/models`, headers)).status).toBe(200);
    expect(upstream.calls).toMatchObject([{ method, url: '/v1/models', body: '' }]);
  });
});

it.each(METHODS)('%s with a body in chunks, of which there are none, passes through', async (method) => {
  const { app, upstream } = await startGateway();
  const chunked = ['Transfer-Encoding: chunked'];
  expect((await sendRaw(app.port, `${method} /v1/models`, chunked, '0\r\n\r\n')).status).toBe(200);
  expect(upstream.calls).toMatchObject([{ method, url: '/v1/models', body: '' }]);
  expect(upstream.calls[0]?.headers).not.toHaveProperty('transfer-encoding');
});

it.each(['', '{}'])(
  'TRACE is not passed on, or the LLM would tell what it was sent (body %j)',
  async (body) => {
    const { app, upstream } = await startGateway();
    const answer = await sendRaw(app.port, 'TRACE /v1/models', [`Content-Length: ${body.length}`], body);
    expect([answer.status, answer.body]).toEqual([501, expect.stringContaining('method_not_supported')]);
    expect(upstream.calls).toEqual([]);
  },
);

it('a mount point by itself passes through as /', async () => {
  const { app, upstream } = await startGateway({}, { mount: '/ai' });
  expect((await sendRaw(app.port, 'GET /ai?x=1')).status).toBe(200);
  expect(upstream.calls[0]?.url).toBe('/?x=1');
});

describe('a body', () => {
  const chat = '{"messages":[]}';
  const length = `Content-Length: ${chat.length}`;

  it.each([...METHODS, 'PUT', 'PATCH'])('in a %s on a chat path is sent as a POST', async (method) => {
    const { app, upstream } = await startGateway();
    const answer = await sendRaw(app.port, `${method} /v1/chat/completions`, [length], chat);
    expect(answer.status).toBe(200);
    expect(upstream.calls).toMatchObject([
      { method: 'POST', url: '/v1/chat/completions', body: '{"messages":[],"model":"model-one"}' },
    ]);
  });

  it.each(['GET', 'DELETE', 'OPTIONS', 'PUT', 'PATCH', 'POST'])(
    'in a %s on another endpoint keeps the method',
    async (method) => {
      const { app, upstream } = await startGateway();
      const answer = await sendRaw(app.port, `${method} /v1/batches/b?x=1`, [length], chat);
      expect(answer.status).toBe(200);
      expect(upstream.calls).toMatchObject([
        { method, url: '/v1/batches/b?x=1', body: '{"messages":[],"model":"model-one"}' },
      ]);
    },
  );

  it.each(METHODS)('in a %s is held to the same rules', async (method) => {
    const { app, upstream } = await startGateway();
    const malformed = await sendRaw(app.port, `${method} /v1/models`, ['Content-Length: 1'], '{');
    expect(malformed.status).toBe(400);
    const other = await sendRaw(app.port, `${method} /v1/models`, ['Content-Type: text/plain', length], chat);
    expect(other.status).toBe(400);
    const encoded = await sendRaw(app.port, `${method} /v1/models`, ['Content-Encoding: gzip', length], chat);
    expect(encoded.status).toBe(415);
    expect(upstream.calls).toEqual([]);
  });
});

it('answers a refused HEAD without a body', async () => {
  const { app } = await startGateway();
  const { status, body, headers } = await sendRaw(app.port, 'HEAD /v1/models', ['Content-Length: 1'], '{');
  expect({ status, body }).toEqual({ status: 400, body: '' });
  expect(headers).toContain('content-type: application/json');
});
