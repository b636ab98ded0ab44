import http, { type OutgoingHttpHeaders } from 'node:http';
import { aiProxyMulti } from 'ai-proxy-multi';
import { describe, expect, it } from 'vitest';
import { ask, asking, parseWire, startStreaming } from '../streams/streaming.ts';
import { instance, serve } from '../support/app.ts';
import { startUpstream } from '../support/upstream.ts';

/** The headers that the client gets for an answer with these. */
async function headersFor(
  headers: OutgoingHttpHeaders,
  host: { servedByHeader?: string } = {},
  name = 'one',
) {
  const upstream = await startUpstream((_call, res) => {
    res.writeHead(200, { 'content-type': 'application/json', ...headers });
    res.end('{}');
  });
  const { app } = await startStreaming(
    () => {},
    { instances: [{ ...instance('one', upstream.url), name }] },
    { host },
  );
  const client = await ask(app, asking, '/v1/chat/completions', ['Connection: close']);
  return parseWire(await client.closed()).headers;
}

describe('the upstream’s headers', () => {
  it.each([
    ['x-request-id', 'req_1'],
    ['openai-processing-ms', '12'],
    ['retry-after', '7'],
    ['etag', '"e"'],
    ['x-ratelimit-remaining-tokens', '99'],
  ])('pass: %s', async (name, value) => {
    expect((await headersFor({ [name]: value })).get(name)).toBe(value);
  });

  it.each([
    ['set-cookie', '__cf_bm=1; path=/'],
    ['keep-alive', 'timeout=99'],
    ['proxy-authenticate', 'Basic'],
    ['te', 'trailers'],
    ['trailer', 'x-sum'],
    ['upgrade', 'h2c'],
    ['proxy-connection', 'keep-alive'],
  ])(
    'do not pass where they belong to one connection, or to the host application: %s',
    async (name, value) => {
      expect((await headersFor({ [name]: value })).get(name)).toBeUndefined();
    },
  );

  it('do not pass where its `connection` header names them', async () => {
    const headers = await headersFor({ connection: 'close, X-Private', 'x-private': '1', 'x-public': '2' });
    expect([headers.get('x-private'), headers.get('x-public')]).toEqual([undefined, '2']);
  });

  it('do not pass under a name that the gateway injected', async () => {
    expect((await headersFor({ authorization: 'whatever' })).has('authorization')).toBe(false);
  });

  it.each([
    ['the whole value', 'Bearer key-one'],
    ['the token alone', 'key-one'],
    ['the token inside', 'invalid key: key-one!'],
  ])('do not pass where they hold an injected secret: %s', async (_, value) => {
    expect((await headersFor({ 'x-echo': value })).has('x-echo')).toBe(false);
  });

  it('do not pass where one line of several holds a secret', async () => {
    const headers = await headersFor({ 'x-echo': ['fine', 'key-one'] });
    expect(headers.has('x-echo')).toBe(false);
  });

  it('leave alone what the host application set itself', async () => {
    const { app } = await startStreaming(
      (_call, res) => {
        res.writeHead(200, { 'content-type': 'application/json', 'set-cookie': 'theirs=1' });
        res.end('{}');
      },
      {},
      {
        before: (server) =>
          server.use((_req, res, next) => {
            res.setHeader('set-cookie', 'ours=1');
            next();
          }),
      },
    );
    const client = await ask(app, asking, '/v1/chat/completions', ['Connection: close']);
    expect(parseWire(await client.closed()).headers.get('set-cookie')).toBe('ours=1');
  });
});

describe('servedByHeader', () => {
  it('names the instance that answered', async () => {
    expect((await headersFor({}, { servedByHeader: 'X-Served-By' })).get('x-served-by')).toBe('one');
  });

  it('is off by default', async () => {
    expect((await headersFor({})).has('x-served-by')).toBe(false);
  });

  it.each([
    ['日本', '%E6%97%A5%E6%9C%AC'],
    ['grün', 'gr%C3%BCn'],
    ['a\r\nset-cookie: x=1', 'a%0D%0Aset-cookie: x=1'],
    ['🦊 one', '%F0%9F%A6%8A one'],
  ])('can be sent whatever the instance is called: %j', async (name, value) => {
    const headers = await headersFor({}, { servedByHeader: 'x-served-by' }, name);
    expect([headers.get('x-served-by'), headers.has('set-cookie')]).toEqual([value, false]);
  });

  it('is there once, though the upstream sends one of that name, under a bare http server too', async () => {
    const upstream = await startUpstream((_call, res) => {
      res.writeHead(200, { 'content-type': 'application/json', 'x-served-by': 'theirs' });
      res.end('{}');
    });
    const middleware = aiProxyMulti(
      { instances: [instance('one', upstream.url)] },
      { servedByHeader: 'X-Served-By' },
    );
    const { port } = await serve((req, res) => middleware(req, res));
    const lines = await new Promise<string[]>((resolve, reject) => {
      const req = http.request(
        { port, method: 'POST', path: '/v1/chat/completions', agent: false },
        (res) => {
          res.resume();
          resolve(res.rawHeaders);
        },
      );
      req.on('error', reject);
      req.end(JSON.stringify(asking));
    });
    const at = lines.findIndex((line) => line.toLowerCase() === 'x-served-by');
    expect(lines.filter((line) => line.toLowerCase() === 'x-served-by')).toHaveLength(1);
    expect(lines[at + 1]).toBe('one');
  });
});
