import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { post } from '../support/app.ts';
import { codeIn, refusalOf, startGateway } from '../support/gateway.ts';
import { connectRaw } from '../support/raw.ts';

const CHUNKED = 'Transfer-Encoding: chunked';

describe('what is no HTTP', () => {
  it.each([
    ['noise', '\x00\x01\x02\xff\xfe garbage \r\n\r\n'],
    ['a TLS handshake', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    ['HTTP/2 with prior knowledge', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a target with a space', 'GET /a b HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a target with a control character', 'GET /a\x01b HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a target without a slash', 'GET v1/models HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a head beyond measure', `GET / HTTP/1.1\r\nHost: a\r\nX-A: ${'a'.repeat(70_000)}\r\n\r\n`],
    ['no host', 'GET / HTTP/1.1\r\n\r\n'],
    ['two lengths', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}'],
    ['a negative length', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -2\r\n\r\n{}'],
    [
      'a length and chunks',
      `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n${CHUNKED}\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
    ],
    ['a chunk of no size', `POST / HTTP/1.1\r\nHost: a\r\n${CHUNKED}\r\n\r\nzz\r\n{}\r\n0\r\n\r\n`],
    ['a chunk beyond numbers', `POST / HTTP/1.1\r\nHost: a\r\n${CHUNKED}\r\n\r\n${'f'.repeat(17)}\r\n`],
    ['a tunnel', 'CONNECT elsewhere.test:443 HTTP/1.1\r\nHost: elsewhere.test:443\r\n\r\n'],
  ])('is refused, never sent on, and the next request is served: %s', async (_what, bytes) => {
    const { app, upstream } = await startGateway();
    const client = await connectRaw(app.port);
    client.write(Buffer.from(bytes, 'latin1'));
    client.socket.end();
    expect(await client.closed()).not.toContain('HTTP/1.1 200');
    expect(upstream.connections).toBe(0);
    expect((await post(app.url)).status).toBe(200);
    expect(app.middleware.status()).toMatchObject({ in_flight: 0 });
  });
});

describe('any JSON at all', () => {
  it('goes to the LLM, but for a __proto__ key, and is never a 500', async () => {
    const { app, upstream } = await startGateway({ logging: { summaries: true, payloads: true } });
    const member = fc.constantFrom(
      'messages',
      'input',
      'model',
      'stream',
      'stream_options',
      'tools',
      'user',
      'metadata',
      'usage',
      'x',
    );
    const path = fc.constantFrom(
      '/',
      '/v1/chat/completions',
      '/v1/responses',
      '/v1/embeddings',
      '/v1/models/m',
    );
    await fc.assert(
      fc.asyncProperty(path, fc.dictionary(member, fc.jsonValue()), async (path, body) => {
        const text = JSON.stringify(body);
        const response = await post(app.url + path, text);
        expect(response.status).toBe(text.includes('"__proto__":') ? 400 : 200);
        await response.arrayBuffer();
      }),
      {
        numRuns: 150,
        examples: [['/', { stream: true, stream_options: null, messages: 5, tools: { length: 1e9 } }]],
      },
    );
    expect(upstream.calls.length).toBeGreaterThan(100);
    expect(app.logs).toEqual([]);
  });

  it('that is broken is refused with a code, whatever the bytes', async () => {
    const { app, upstream } = await startGateway();
    const { url } = app;
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 64 }), async (bytes) => {
        const response = await fetch(url, {
          method: 'POST',
          body: Buffer.concat([Buffer.from('{"'), bytes]),
        });
        const { status, code } = await refusalOf(response);
        expect(status).toBe(400);
        expect(code).toMatch(/^(?:invalid_json|invalid_utf8)$/);
      }),
      { numRuns: 150 },
    );
    expect(upstream.calls).toEqual([]);
  });
});

it('many bad requests at once leave nothing under way', async () => {
  const { app, upstream } = await startGateway();
  const answers = await Promise.all(
    Array.from({ length: 50 }, async (_, index) => (await post(app.url, '{'.repeat(index + 1))).text()),
  );
  expect(new Set(answers.map(codeIn))).toEqual(new Set(['invalid_json']));
  expect(app.middleware.status()).toMatchObject({ in_flight: 0 });
  expect(upstream.connections).toBe(0);
});
