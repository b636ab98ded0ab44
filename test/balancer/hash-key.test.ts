import { once } from 'node:events';
import http, { type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import express from 'express';
import { describe, expect, it } from 'vitest';
import { hashKeyReader } from '../../lib/balancer/hash-key.ts';
import type { LoadedBalancer } from '../../lib/config/loaded-config.ts';
import type { Variables } from '../../lib/request/variables.ts';
import { serve } from '../support/app.ts';

type HashOn = LoadedBalancer['hash_on'];

interface Ask {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: IncomingHttpHeaders;
  readonly variables?: Partial<Variables>;
}

const ADDRESS = '127.0.0.1';

const braced = (name: string): string => `\${${name}}`;

async function request(port: number, { path = '/', method = 'GET', headers = {} }: Ask): Promise<string> {
  const sent = http.request({ host: ADDRESS, port, path, method, headers });
  sent.end();
  const [answer] = await once(sent, 'response');
  return text(answer);
}

/** The key of a real request to an Express app mounted at /ai, with the port the app listened on. */
async function keyOf(hashOn: HashOn, key: string | undefined, ask: Ask = {}): Promise<[string, number]> {
  const read = hashKeyReader({ algorithm: 'chash', hash_on: hashOn, ...(key !== undefined && { key }) });
  const variables: Variables = { custom: undefined, locals: {}, ...ask.variables };
  const app = express();
  app.set('trust proxy', true);
  app.use('/ai', (req, res) => {
    res.send(read(req, variables));
  });
  const { port } = await serve(app);
  return [await request(port, { path: '/ai/chat', ...ask }), port];
}

describe('hash_on: vars', () => {
  const path = '/ai/chat?tenant=acme&empty=&text=a%20b';
  it.each<[string, string, Ask]>([
    ['remote_addr', ADDRESS, {}],
    ['uri', '/ai/chat', { path }],
    ['request_uri', path, { path }],
    ['query_string', 'tenant=acme&empty=&text=a%20b', { path }],
    ['args', 'tenant=acme&empty=&text=a%20b', { path }],
    ['host', 'gateway.test', { headers: { host: 'Gateway.Test:8443' } }],
    ['host', '[::1]', { headers: { host: '[::1]:8443' } }],
    ['arg_tenant', 'acme', { path }],
    ['arg_text', 'a b', { path }],
    ['http_x_user', 'ann', { headers: { 'X-User': 'ann' } }],
    ['http_x-user', 'ann', { headers: { 'X-User': 'ann' } }],
    ['cookie_session', 's-1', { headers: { cookie: 'theme=dark; session=s-1' } }],
    ['cookie_session', 's=1', { headers: { cookie: 'session=s=1' } }],
    ['request_method', 'PUT', { method: 'PUT' }],
    ['consumer_name', 'jane', { variables: { locals: { consumer: { username: 'jane' } } } }],
    ['$arg_tenant', 'acme', { path }],
  ])('reads %s as %s', async (name, expected, ask) => {
    expect((await keyOf('vars', name, ask))[0]).toBe(expected);
  });

  it('reads server_port', async () => {
    const [key, port] = await keyOf('vars', 'server_port');
    expect(key).toBe(String(port));
  });

  it("takes Express's req.ip for remote_addr, which honours trust proxy", async () => {
    const [key] = await keyOf('vars', 'remote_addr', { headers: { 'x-forwarded-for': '203.0.113.7' } });
    expect(key).toBe('203.0.113.7');
  });

  it("takes the socket's address for remote_addr on a bare server, whatever a header claims", async () => {
    const read = hashKeyReader({ algorithm: 'chash', hash_on: 'vars', key: 'remote_addr' });
    const { port } = await serve((req, res) => res.end(read(req, { custom: undefined, locals: {} })));
    expect(await request(port, { headers: { 'x-forwarded-for': '203.0.113.7' } })).toBe(ADDRESS);
  });

  it('asks host.vars for names of its own, with the request', async () => {
    const custom = (name: string, req: IncomingMessage): string | undefined =>
      name === 'tenant' ? `${req.method}-acme` : undefined;
    expect((await keyOf('vars', 'tenant', { variables: { custom } }))[0]).toBe('GET-acme');
    expect((await keyOf('vars', 'uri', { variables: { custom } }))[0]).toBe('/ai/chat');
  });
});

describe('the other kinds of hash_on', () => {
  it.each<[HashOn, string | undefined, string, Ask]>([
    ['header', 'X-User', 'ann', { headers: { 'x-user': 'ann' } }],
    ['header', 'x-user', 'ann', { headers: { 'X-USER': 'ann' } }],
    ['cookie', 'session', 's-1', { headers: { cookie: 'a=b; session=s-1' } }],
    ['consumer', undefined, 'jane', { variables: { locals: { consumer: { username: 'jane' } } } }],
    [
      'vars_combinations',
      '$http_x-user$arg_tenant',
      'annacme',
      { path: '/ai?tenant=acme', headers: { 'x-user': 'ann' } },
    ],
    ['vars_combinations', `${braced('arg_a')}-${braced('arg_b')}`, '1-2', { path: '/ai?a=1&b=2' }],
    ['vars_combinations', `${braced('http_x-user')}-x`, 'ann-x', { headers: { 'x-user': 'ann' } }],
    ['vars_combinations', '$request_method-$uri', 'GET-/ai', { path: '/ai' }],
    ['vars_combinations', '$arg_a-$arg_b', '1-2', { path: '/ai?a=1&b=2' }],
    ['vars_combinations', '$arg_a:$arg_missing', '1:', { path: '/ai?a=1' }],
  ])('hashes on %s %s', async (hashOn, key, expected, ask) => {
    expect((await keyOf(hashOn, key, ask))[0]).toBe(expected);
  });

  it('lets host.vars take part in vars_combinations', async () => {
    const custom = (name: string): string | undefined => (name === 'tenant' ? 'acme' : undefined);
    const [key] = await keyOf('vars_combinations', '$tenant/$request_method', { variables: { custom } });
    expect(key).toBe('acme/GET');
  });
});

describe("a key that resolves to nothing falls back to the client's address", () => {
  it.each<[HashOn, string | undefined, Ask]>([
    ['vars', 'arg_tenant', {}],
    ['vars', 'arg_tenant', { path: '/ai?tenant=' }],
    ['vars', 'no_such_variable', {}],
    ['vars', 'toString', {}],
    ['header', 'x-user', {}],
    ['header', 'x-user', { headers: { 'x-user': '' } }],
    ['cookie', 'session', {}],
    ['cookie', 'session', { headers: { cookie: 'session2=x; session' } }],
    ['consumer', undefined, {}],
    ['consumer', undefined, { variables: { locals: { consumer: 'jane' } } }],
    ['vars_combinations', '$http_x-user$arg_tenant', {}],
    ['vars_combinations', '$arg_a:$arg_b', {}],
  ])('%s %s', async (hashOn, key, ask) => {
    expect((await keyOf(hashOn, key, ask))[0]).toBe(ADDRESS);
  });
});
