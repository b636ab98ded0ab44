import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { post } from '../support/app.ts';
import { refusalOf, sendRaw, startGateway } from '../support/gateway.ts';

const chat = '{"messages":[]}';
const length = `Content-Length: ${chat.length}`;

describe('a content-type', () => {
  it.each([
    'application/json',
    'APPLICATION/JSON',
    'Application/Json; charset=utf-8',
    'application/json;charset="UTF-8"',
    'application/json ; boundary=x',
    'application/json-patch+json',
  ])('of %s is taken', async (type) => {
    const { app, upstream } = await startGateway();
    const answer = await sendRaw(app.port, 'POST /', [`Content-Type: ${type}`, length], chat);
    expect(answer.status).toBe(200);
    expect(upstream.calls[0]?.headers['content-type']).toBe('application/json');
  });

  it('may be missing', async () => {
    const { app, upstream } = await startGateway();
    expect((await sendRaw(app.port, 'POST /', [length], chat)).status).toBe(200);
    expect(upstream.calls[0]?.headers['content-type']).toBe('application/json');
  });

  it.each([
    'text/plain',
    'text/json',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/xml; note=application/json',
    'application/vnd.api+json',
    'json',
    '*/*',
    '',
  ])('of "%s" is a 400', async (type) => {
    const { app, upstream } = await startGateway();
    const answer = await sendRaw(app.port, 'POST /', [`Content-Type: ${type}`, length], chat);
    expect(answer).toMatchObject({ status: 400, code: 'unsupported_content_type' });
    expect(upstream.calls).toEqual([]);
  });
});

describe('a content-encoding', () => {
  it.each(['gzip', 'GZIP', 'deflate', 'br', 'zstd', 'identity, gzip', 'aes128gcm'])(
    'of %s is a 415',
    async (encoding) => {
      const { app, upstream } = await startGateway();
      const answer = await sendRaw(app.port, 'POST /', [`Content-Encoding: ${encoding}`, length], chat);
      expect(answer).toMatchObject({ status: 415, code: 'unsupported_content_encoding' });
      expect(upstream.calls).toEqual([]);
    },
  );

  it.each(['identity', ' Identity ', ''])('of "%s" is none', async (encoding) => {
    const { app } = await startGateway();
    const answer = await sendRaw(app.port, 'POST /', [`Content-Encoding: ${encoding}`, length], chat);
    expect(answer.status).toBe(200);
  });

  it('that a parser in front has undone is no obstacle', async () => {
    const { default: express } = await import('express');
    const { app, upstream } = await startGateway({}, { before: (app) => app.use(express.json()) });
    const response = await fetch(app.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
      body: gzipSync('{"messages":[],"model":"m"}'),
    });
    expect(response.status).toBe(200);
    expect(upstream.calls[0]?.body).toBe('{"messages":[],"model":"model-one"}');
    expect(upstream.calls[0]?.headers).not.toHaveProperty('content-encoding');
  });
});

describe('a body', () => {
  it.each([
    ['{"messages":[', 'invalid_json'],
    ['messages=1', 'invalid_json'],
    ['\ufeff{"messages":[]}', 'invalid_json'],
    ['[{"messages":[]}]', 'body_not_an_object'],
    ['"messages"', 'body_not_an_object'],
    ['42', 'body_not_an_object'],
    ['null', 'body_not_an_object'],
    ['', 'empty_body'],
    [' \r\n', 'empty_body'],
    [`{"a":${'['.repeat(1000)}${']'.repeat(1000)}}`, 'body_too_deep'],
    [`{"a":${'{"a":'.repeat(100_000)}`, 'body_too_deep'],
  ])('that is %.40j is a 400 with the code %s', async (body, code) => {
    const { app, upstream } = await startGateway();
    expect(await refusalOf(await post(app.url, body))).toEqual({ status: 400, code });
    expect(upstream.calls).toEqual([]);
    expect((await post(app.url)).status).toBe(200);
  });

  it('that is not UTF-8 is a 400', async () => {
    const { app, upstream } = await startGateway();
    const latin1 = '{"messages":["\xe9"]}';
    const answer = await sendRaw(app.port, 'POST /', [`Content-Length: ${latin1.length}`], latin1);
    expect(answer).toMatchObject({ status: 400, code: 'invalid_utf8' });
    expect(upstream.calls).toEqual([]);
  });

  it.each(['POST', 'PUT', 'PATCH'])('is missing in a %s without length', async (method) => {
    const { app, upstream } = await startGateway();
    expect(await sendRaw(app.port, `${method} /`)).toMatchObject({ status: 400, code: 'empty_body' });
    expect(upstream.calls).toEqual([]);
  });

  it('in chunks, cut anywhere, arrives as it was sent', async () => {
    const { app, upstream } = await startGateway();
    const body = '{"prompt":"😀 \\u00e9","model":"m"}';
    const bytes = Buffer.from(body).toString('latin1');
    const chunked = [...bytes].map((byte) => `1\r\n${byte}\r\n`).join('');
    const answer = await sendRaw(app.port, 'POST /x', ['Transfer-Encoding: chunked'], `${chunked}0\r\n\r\n`);
    expect(answer.status).toBe(200);
    expect(upstream.calls[0]?.body).toBe(body.replace('"m"', '"model-one"'));
    expect(upstream.calls[0]?.headers).toMatchObject({
      'content-length': String(bytes.length - 1 + 'model-one'.length),
    });
    expect(upstream.calls[0]?.headers).not.toHaveProperty('transfer-encoding');
  });
});
