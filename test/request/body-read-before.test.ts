import express, { type Express, type RequestHandler } from 'express';
import { describe, expect, it } from 'vitest';
import { post, serve } from '../support/app.ts';
import { type Gateway, refusalOf, sendRaw, startGateway } from '../support/gateway.ts';

const body = '{ "messages": [], "temperature": 1.0, "x": "é\\u00e9" }';
/** What the upstream gets of it: each byte is the client's, but for the instance's model. */
const sent = body.replace(' }', ',"model":"model-one" }');

function behind(...handlers: RequestHandler[]): Promise<Gateway> {
  return startGateway({}, { before: (app: Express) => app.use(...handlers) });
}

/** Reads the body to its end and leaves what `keep` makes of it. */
function reads(keep: (req: express.Request, bytes: Buffer) => void): RequestHandler {
  return async (req, _res, next) => {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk);
    keep(req, Buffer.concat(chunks));
    next();
  };
}

describe('a body that something has read already', () => {
  it.each([
    ['a Buffer', (bytes: Buffer) => bytes],
    ['a Uint8Array', (bytes: Buffer) => new Uint8Array(bytes)],
    ['a string', (bytes: Buffer) => bytes.toString()],
  ])('is taken from req.body as %s, byte for byte', async (_what, convert) => {
    const { app, upstream } = await behind(
      reads((req, bytes) => {
        req.body = convert(bytes);
      }),
    );
    expect((await post(app.url, body)).status).toBe(200);
    expect(upstream.calls[0]?.body).toBe(sent);
  });

  it('is taken from req.body as an object', async () => {
    const { app, upstream } = await behind(express.json());
    expect((await post(app.url, body)).status).toBe(200);
    expect(JSON.parse(upstream.calls[0]?.body ?? '')).toEqual(JSON.parse(sent));
  });

  it('is taken as the middleware in between has changed it', async () => {
    const { app, upstream } = await behind(express.json(), (req, _res, next) => {
      req.body.user = 'jane';
      next();
    });
    expect((await post(app.url, body)).status).toBe(200);
    expect(JSON.parse(upstream.calls[0]?.body ?? '')).toMatchObject({ messages: [], user: 'jane' });
  });

  it.each([
    ['a Buffer', (bytes: Buffer) => bytes],
    ['a string', (bytes: Buffer) => bytes.toString()],
  ])('is taken from req.rawBody, %s, in preference to req.body', async (_what, convert) => {
    const { app, upstream } = await behind(
      reads((req, bytes) => {
        Object.assign(req, { rawBody: convert(bytes), body: { input: 'not this' } });
      }),
    );
    expect((await post(app.url, body)).status).toBe(200);
    expect(upstream.calls[0]?.body).toBe(sent);
  });

  it.each([undefined, null, 5, {}])('is taken from req.body when req.rawBody is %j', async (rawBody) => {
    const { app, upstream } = await behind(express.json(), (req, _res, next) => {
      Object.assign(req, { rawBody });
      next();
    });
    expect((await post(app.url, body)).status).toBe(200);
    expect(JSON.parse(upstream.calls[0]?.body ?? '')).toEqual(JSON.parse(sent));
  });

  it.each([
    ['malformed text', '{"messages":', 'invalid_json'],
    ['an empty string', '', 'empty_body'],
    ['bytes that are not UTF-8', Buffer.from('{"a":"\xe9"}', 'latin1'), 'invalid_utf8'],
    ['a list', [{ messages: [] }], 'body_not_an_object'],
    ['a number', 5, 'body_not_an_object'],
    ['true', true, 'body_not_an_object'],
    ['nothing', undefined, 'body_unavailable'],
    ['null', null, 'body_unavailable'],
    ['an object with a __proto__ key', JSON.parse('{"a":{"__proto__":1}}'), 'forbidden_key'],
    ['a BigInt inside', { messages: [], n: 1n }, 'invalid_json'],
    ['levels beyond counting', JSON.parse(`${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`), 'invalid_json'],
    ['1,001 levels', JSON.parse(`${'{"a":'.repeat(1001)}1${'}'.repeat(1001)}`), 'body_too_deep'],
    ['a toJSON that returns nothing', { toJSON: () => undefined }, 'invalid_json'],
  ])('and left as %s is a 400', async (_what, left, code) => {
    const { app, upstream } = await behind(
      reads((req) => {
        req.body = left;
      }),
    );
    expect(await refusalOf(await post(app.url, body))).toEqual({ status: 400, code });
    expect(upstream.calls).toEqual([]);
  });

  it('and left as an object that holds itself is a 400', async () => {
    const circular: Record<string, unknown> = { messages: [] };
    circular.self = circular;
    const { app } = await behind(
      reads((req) => {
        req.body = circular;
      }),
    );
    expect(await refusalOf(await post(app.url, body))).toEqual({ status: 400, code: 'invalid_json' });
  });
});

describe('a body that somebody has read and nobody has kept', () => {
  it('is a 400, not a hang', async () => {
    const { app, upstream } = await behind(reads(() => {}));
    expect(await refusalOf(await post(app.url, body))).toEqual({ status: 400, code: 'body_unavailable' });
    expect(upstream.calls).toEqual([]);
  });

  it('is a 400 too when it was let drain', async () => {
    const { app } = await behind((req, _res, next) => {
      req.resume().on('end', next);
    });
    expect(await refusalOf(await post(app.url, body))).toEqual({ status: 400, code: 'body_unavailable' });
  });

  it('is a 400 too when only its first part has come yet', async () => {
    const { app } = await behind((req, _res, next) => {
      req.once('data', () => next());
    });
    const half = await sendRaw(app.port, 'POST /', ['Content-Length: 1000'], body);
    expect(half).toMatchObject({ status: 400, code: 'body_unavailable' });
  });
});

describe('a body that nobody has read yet', () => {
  it.each([
    ['{}', {}],
    ['null', null],
    ['an object', { input: 'not this' }],
    ['a string', 'not this'],
  ])('is read from the socket, though req.body is %s', async (_what, left) => {
    const { app, upstream } = await behind((req, _res, next) => {
      req.body = left;
      next();
    });
    expect((await post(app.url, body)).status).toBe(200);
    expect(upstream.calls[0]?.body).toBe(sent);
  });

  it('is read from the socket after a middleware that took its time', async () => {
    const authority = await serve((_req, res) => res.end());
    const { app, upstream } = await behind(async (_req, _res, next) => {
      await fetch(authority.url);
      next();
    });
    expect((await post(app.url, body)).status).toBe(200);
    expect(upstream.calls[0]?.body).toBe(sent);
  });

  it('is shared with a middleware that listens in', async () => {
    const heard: Buffer[] = [];
    const { app, upstream } = await behind((req, _res, next) => {
      req.on('data', (chunk) => heard.push(chunk));
      next();
    });
    expect((await post(app.url, body)).status).toBe(200);
    expect(upstream.calls[0]?.body).toBe(sent);
    expect(Buffer.concat(heard).toString()).toBe(body);
  });

  it('is no body in a GET with the {} of a parser that had nothing to parse', async () => {
    const { app, upstream } = await behind((req, _res, next) => {
      req.body = {};
      next();
    });
    expect((await fetch(`${app.url}/v1/models`)).status).toBe(200);
    expect(upstream.calls[0]).toMatchObject({ method: 'GET', url: '/v1/models', body: '' });
  });
});
