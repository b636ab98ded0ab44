import { describe, expect, it } from 'vitest';
import { providers } from '../../lib/providers/index.ts';
import { type InstanceConfig, instance, post, startApp } from '../support/app.ts';
import { connectRaw } from '../support/raw.ts';
import { type Call, echoModel, startUpstream } from '../support/upstream.ts';

type ProviderName = keyof typeof providers;

/** The contract's table, §5. */
const TABLE = {
  openai: {
    origin: 'https://api.openai.com',
    paths: {
      'openai-chat': '/v1/chat/completions',
      'openai-responses': '/v1/responses',
      'openai-embeddings': '/v1/embeddings',
    },
  },
  'openai-compatible': {
    origin: undefined,
    paths: {
      'openai-chat': '/v1/chat/completions',
      'openai-responses': '/v1/responses',
      'openai-embeddings': '/v1/embeddings',
    },
  },
  deepseek: { origin: 'https://api.deepseek.com', paths: { 'openai-chat': '/chat/completions' } },
  aimlapi: { origin: 'https://api.aimlapi.com', paths: { 'openai-chat': '/chat/completions' } },
  anthropic: {
    origin: 'https://api.anthropic.com',
    paths: { 'openai-chat': '/v1/chat/completions', 'anthropic-messages': '/v1/messages' },
  },
  'azure-openai': { origin: undefined, paths: { 'openai-chat': '/completions' } },
  openrouter: { origin: 'https://openrouter.ai', paths: { 'openai-chat': '/api/v1/chat/completions' } },
  gemini: {
    origin: 'https://generativelanguage.googleapis.com',
    paths: { 'openai-chat': '/v1beta/openai/chat/completions' },
  },
} as const satisfies Record<ProviderName, { origin: string | undefined; paths: Record<string, string> }>;

const CLIENT_PATHS: Readonly<Record<string, string>> = {
  'openai-chat': '/v1/chat/completions',
  'openai-responses': '/v1/responses',
  'openai-embeddings': '/v1/embeddings',
  'anthropic-messages': '/v1/messages',
};

const names = Object.keys(TABLE).filter((name): name is ProviderName => name in TABLE);
const rows = names.flatMap((provider) =>
  Object.entries(CLIENT_PATHS).map(([protocol, clientPath]) => {
    const paths: Readonly<Record<string, string>> = TABLE[provider].paths;
    return { provider, protocol, clientPath, path: paths[protocol] };
  }),
);

interface Request {
  readonly path?: string;
  readonly method?: string;
  readonly body?: string;
  readonly mount?: string;
}

/** What reaches an upstream whose endpoint is its origin and `suffix`. */
async function sendTo(
  suffix: string,
  { path = '/v1/chat/completions', method = 'POST', body = '{"messages":[]}', mount = '/' }: Request = {},
  more: Partial<InstanceConfig> = {},
): Promise<Call | undefined> {
  const upstream = await startUpstream(echoModel());
  const endpoint = `${upstream.url}${suffix}`;
  const app = await startApp({ instances: [instance('a', endpoint, { options: {}, ...more })] }, { mount });
  // Bytes, since fetch would tidy the path up.
  const client = await connectRaw(app.port);
  const length = body === '' ? [] : [`Content-Length: ${body.length}`];
  client.write([`${method} ${path} HTTP/1.1`, 'Host: g', ...length, '', body].join('\r\n'));
  await client.until('\r\n\r\n');
  return upstream.calls[0];
}

describe('a provider with a bare origin', () => {
  it.each(names)('%s lives at the origin that the contract says', (name) => {
    const provider: { origin?: string } = providers[name];
    expect(provider.origin).toBe(TABLE[name].origin);
  });

  it('is listed in the table', () => {
    expect(Object.keys(providers).toSorted()).toEqual(names.toSorted());
  });

  it.each(rows.filter((row) => row.path !== undefined))(
    '$provider gets $protocol at $path',
    async ({ provider, clientPath, path }) => {
      const call = await sendTo('', { path: clientPath }, { provider });
      expect(call?.method).toBe('POST');
      expect(call?.url).toBe(path);
    },
  );

  it.each(rows.filter((row) => row.path === undefined))(
    '$provider does not get $protocol',
    async ({ provider, clientPath }) => {
      const upstream = await startUpstream(echoModel());
      const app = await startApp({ instances: [instance('a', upstream.url, { provider })] });
      const answer = await post(`${app.url}${clientPath}`, { messages: [], input: 'x' });
      expect(answer.status).toBe(400);
      expect(upstream.calls).toHaveLength(0);
    },
  );
});

describe('override.endpoint', () => {
  it.each([
    ['', '/v1/chat/completions'],
    ['/', '/v1/chat/completions'],
    ['?a=1', '/v1/chat/completions?a=1'],
    ['/?a=1', '/v1/chat/completions?a=1'],
    ['/llm', '/llm'],
    ['/llm/', '/llm/'],
    ['/llm/chat?api-version=2024-06-01&x=', '/llm/chat?api-version=2024-06-01&x='],
    ['/a%2Fb/c%20d', '/a%2Fb/c%20d'],
    ['//double//slash', '//double//slash'],
    ['/x?to=http://other.test//path', '/x?to=http://other.test//path'],
    ['/x?q=a+b%20c&empty', '/x?q=a+b%20c&empty'],
  ])('"http://host%s" is asked at %s', async (suffix, url) => {
    expect((await sendTo(suffix))?.url).toBe(url);
  });

  it('with a path of its own is used as it stands for every protocol', async () => {
    expect((await sendTo('/deployment', { path: '/v1/embeddings', body: '{"input":"x"}' }))?.url).toBe(
      '/deployment',
    );
  });

  it('of azure-openai with a path is used as it stands', async () => {
    const call = await sendTo(
      '/openai/deployments/d/chat/completions?api-version=1',
      {},
      { provider: 'azure-openai' },
    );
    expect(call?.url).toBe('/openai/deployments/d/chat/completions?api-version=1');
  });

  it.each(['GET', 'PUT', 'PATCH', 'DELETE'])(
    'is asked with POST, though the client said %s',
    async (method) => {
      expect((await sendTo('', { method }))?.method).toBe('POST');
    },
  );

  it("does not get the client's path or query for a known protocol", async () => {
    const call = await sendTo('/llm', { path: '/my/v1/chat/completions?stream=1&key=x' });
    expect(call?.url).toBe('/llm');
  });
});

describe('passthrough', () => {
  const models = { path: '/v1/models', method: 'GET', body: '' };

  it.each(['GET', 'DELETE', 'OPTIONS'])("keeps the client's method %s, without a body", async (method) => {
    const call = await sendTo('', { ...models, method });
    expect(call).toMatchObject({ method, url: '/v1/models', body: '' });
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])("keeps the client's method %s, with a body", async (method) => {
    const call = await sendTo('', { path: '/v1/moderations', method, body: '{"input":"x"}' });
    expect(call).toMatchObject({ method, url: '/v1/moderations', body: '{"input":"x"}' });
  });

  it.each([
    '/v1/files/abc%2Fdef',
    '/v1//models',
    '/v1/models?limit=2&after=a%20b',
    '/v1/models?to=http://other.test//x',
    '/v1/models?a=1?b=2',
    '/v1/models?',
    '//other.test/v1/models',
  ])('keeps path and query as they are: %s', async (path) => {
    expect((await sendTo('', { ...models, path }))?.url).toBe(path === '/v1/models?' ? '/v1/models' : path);
  });

  it('keeps the path below the mount point', async () => {
    const call = await sendTo('', { ...models, path: '/ai/v1/models?limit=1', mount: '/ai' });
    expect(call?.url).toBe('/v1/models?limit=1');
  });

  it("sends to the endpoint's own path where it has one", async () => {
    expect((await sendTo('/own', { ...models, path: '/v1/models?limit=1' }))?.url).toBe('/own?limit=1');
  });

  it('takes only the path of a target in absolute form, and asks no other host', async () => {
    const call = await sendTo('', { ...models, path: 'http://other.test/v1/models?x=1' });
    expect(call?.url).toBe('/v1/models?x=1');
    expect(call?.headers.host).toMatch(/^127\.0\.0\.1:/);
  });
});

describe('the query', () => {
  const models = { method: 'GET', body: '' };
  const auth = { query: { key: 'secret', 'api-version': 'ours' } };
  const queryOf = (call: Call | undefined): [string, string][] => [
    ...new URL(call?.url ?? '', 'http://x').searchParams,
  ];

  it("of a passthrough client overrides the endpoint's, name by name", async () => {
    const call = await sendTo('?a=1&b=2&b=3', { ...models, path: '/v1/models?b=4&c=5&c=6' });
    expect(queryOf(call)).toEqual([
      ['a', '1'],
      ['b', '4'],
      ['c', '5'],
      ['c', '6'],
    ]);
  });

  it('of auth joins that of the endpoint and overrides it', async () => {
    const call = await sendTo('?a=1&api-version=theirs', {}, { auth });
    expect(call?.url).toMatch(/^\/v1\/chat\/completions\?/);
    expect(queryOf(call)).toEqual([
      ['a', '1'],
      ['api-version', 'ours'],
      ['key', 'secret'],
    ]);
  });

  it.each(['key=clients', 'key=one&key=two', 'k%65y=clients', 'key', 'a=1&key=%26'])(
    'of auth cannot be overridden by a client that says ?%s',
    async (query) => {
      const call = await sendTo('', { ...models, path: `/v1/models?${query}` }, { auth });
      expect(queryOf(call).filter(([name]) => name === 'key')).toEqual([['key', 'secret']]);
    },
  );

  it('of auth is encoded', async () => {
    const call = await sendTo('', {}, { auth: { query: { key: 'a&b=c d#e' } } });
    expect(queryOf(call)).toEqual([['key', 'a&b=c d#e']]);
  });
});

describe('a redirect', () => {
  it.each([301, 302, 303, 307, 308])('with %i is passed on, and not followed', async (status) => {
    const other = await startUpstream(echoModel());
    const upstream = await startUpstream((_call, res) => {
      res.writeHead(status, { location: `${other.url}/elsewhere`, 'content-type': 'text/plain' });
      res.end('moved');
    });
    const app = await startApp({
      fallback_strategy: ['http_429', 'http_5xx'],
      instances: [instance('a', upstream.url), instance('b', other.url, { priority: -1 })],
    });
    const answer = await post(app.url, undefined, { redirect: 'manual' });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('location')).toBe(`${other.url}/elsewhere`);
    expect(await answer.text()).toBe('moved');
    expect(upstream.calls).toHaveLength(1);
    expect(other.calls).toHaveLength(0);
  });
});
