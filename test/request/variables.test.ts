import express, { type Express } from 'express';
import { describe, expect, it } from 'vitest';
import { readVariable, type Variables } from '../../lib/request/variables.ts';
import { serve } from '../support/app.ts';
import { connectRaw } from '../support/raw.ts';

type Custom = Variables['custom'];

interface Setting {
  readonly target?: string;
  readonly headers?: readonly string[];
  readonly custom?: Custom;
  readonly locals?: Record<string, unknown>;
  readonly before?: (app: Express) => void;
}

/** What a variable reads as in an Express app mounted below `/ai`, asked by a real request. */
async function read(name: string, setting: Setting = {}): Promise<string> {
  const { target = '/ai/v1/chat?tenant=a&x=1', headers = [], custom, locals = {}, before } = setting;
  const app = express();
  before?.(app);
  app.use('/ai', (req, res) => {
    res.json({ value: readVariable(name, req, { custom, locals }) });
  });
  const { port } = await serve(app);
  return ask(port, target, headers);
}

async function ask(port: number, target: string, headers: readonly string[]): Promise<string> {
  const client = await connectRaw(port);
  const lines = [`POST ${target} HTTP/1.1`, 'Host: API.example.test:8080', 'Connection: close', ...headers];
  client.write(`${lines.join('\r\n')}\r\n\r\n`);
  const answer = await client.closed();
  const json: unknown = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4));
  if (typeof json !== 'object' || json === null || !('value' in json) || typeof json.value !== 'string') {
    throw new Error(`no string: ${answer}`);
  }
  return json.value;
}

describe('the host', () => {
  it.each(['api.example.test', 'API.example.test:8080', 'api.example.test.', 'api.example.test:'])(
    'is the same however it is written: %s',
    async (host) => {
      const server = await serve((req, res) => {
        res.end(JSON.stringify({ value: readVariable('host', req, { custom: undefined, locals: {} }) }));
      });
      expect(await ask(server.port, '/', [`Host: ${host}`])).toBe('api.example.test');
    },
  );
});

describe('a variable', () => {
  it.each([
    ['remote_addr', '127.0.0.1'],
    ['uri', '/ai/v1/chat'],
    ['request_uri', '/ai/v1/chat?tenant=a&x=1'],
    ['query_string', 'tenant=a&x=1'],
    ['args', 'tenant=a&x=1'],
    ['host', 'api.example.test'],
    ['request_method', 'POST'],
    ['arg_tenant', 'a'],
    ['arg_x', '1'],
    ['http_x_user', 'alice'],
    ['http_X_User', 'alice'],
    ['http_host', 'API.example.test:8080'],
    ['http_x_twice', 'one, two'],
    ['cookie_session', 's=1'],
    ['cookie_other', 'o'],
    ['consumer_name', 'jane'],
  ])('%s reads as %s', async (name, value) => {
    const headers = [
      'X-User: alice',
      'X-Twice: one',
      'X-Twice: two',
      'Cookie: session=s=1; other = o; broken',
    ];
    expect(await read(name, { headers, locals: { consumer: { username: 'jane' } } })).toBe(value);
  });

  it.each([
    'arg_missing',
    'arg_toString',
    'http_x_missing',
    'cookie_missing',
    'cookie_broken',
    'consumer_name',
    'unheard_of',
    'constructor',
    '__proto__',
    '',
  ])('%j reads as nothing where there is none', async (name) => {
    expect(await read(name, { headers: ['Cookie: broken'] })).toBe('');
  });

  it.each([
    ['query_string', '/ai', ''],
    ['args', '/ai?', ''],
    ['uri', '/ai?a?b', '/ai'],
    ['query_string', '/ai?a?b', 'a?b'],
    ['uri', '/ai//v1/./chat/../%63hat?x=1', '/ai/v1/chat'],
    ['uri', 'http://elsewhere.test/ai/v1?x=1', '/ai/v1'],
    ['uri', '/ai/../../x', '/ai/../../x'],
    ['request_uri', 'http://elsewhere.test/ai//v1?x=1', '/ai//v1?x=1'],
    ['host', 'http://Elsewhere.test:8080/ai', 'elsewhere.test'],
    ['arg_a', '/ai?a=1&a=2', '1'],
    ['arg_a', '/ai?a=b%20c+d', 'b c d'],
    ['arg_a', '/ai?a=%zz', '%zz'],
    ['arg_a', '/ai?a', ''],
  ])('%s of %s reads as %j', async (name, target, value) => {
    expect(await read(name, { target })).toBe(value);
  });

  it('server_port is the port the client came to', async () => {
    const server = await serve((req, res) => {
      const value = readVariable('server_port', req, { custom: undefined, locals: {} });
      res.end(JSON.stringify({ value }));
    });
    expect(await ask(server.port, '/', [])).toBe(String(server.port));
  });

  it('remote_addr is what Express finds behind its trusted proxies', async () => {
    const headers = ['X-Forwarded-For: 203.0.113.7'];
    const before = (app: Express): void => {
      app.set('trust proxy', true);
    };
    expect(await read('remote_addr', { headers, before })).toBe('203.0.113.7');
    expect(await read('remote_addr', { headers })).toBe('127.0.0.1');
  });

  it('is read without Express too', async () => {
    const server = await serve((req, res) => {
      const value = ['remote_addr', 'uri', 'arg_a']
        .map((name) => readVariable(name, req, { custom: undefined, locals: {} }))
        .join(' ');
      res.end(JSON.stringify({ value }));
    });
    expect(await ask(server.port, '/v1/chat?a=b', [])).toBe('127.0.0.1 /v1/chat b');
  });

  it.each([
    ['an object without a name', { consumer: {} }],
    ['a name that is no string', { consumer: { username: { a: 1 } } }],
    ['a string', { consumer: 'jane' }],
    ['null', { consumer: null }],
  ])('consumer_name is nothing when the consumer is %s', async (_what, locals) => {
    expect(await read('consumer_name', { locals })).toBe('');
  });
});

describe('host.vars', () => {
  it('is asked first, with the name and the request', async () => {
    const custom = (name: string, req: Parameters<NonNullable<Custom>>[1]): string =>
      `${name} of ${req.headers['x-user']}`;
    const headers = ['X-User: alice'];
    expect(await read('tenant', { custom, headers })).toBe('tenant of alice');
    expect(await read('uri', { custom, headers })).toBe('uri of alice');
  });

  it('leaves to the built-in variables what it does not know', async () => {
    const custom = (name: string): string | undefined => (name === 'tenant' ? 't1' : undefined);
    expect(await read('tenant', { custom })).toBe('t1');
    expect(await read('uri', { custom })).toBe('/ai/v1/chat');
  });

  it('may say that there is nothing', async () => {
    expect(await read('uri', { custom: () => '' })).toBe('');
  });
});
