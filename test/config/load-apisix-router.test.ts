import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { loadApisixRouter } from '../../lib/config/load-apisix-router.ts';
import type { LoadedApisixRouter, LoadedRoute } from '../../lib/config/loaded-apisix-router.ts';
import { instance, recordWarnings, warningsOf } from './loading.ts';

beforeEach(() => {
  vi.stubEnv('OPENAI_API_KEY', 'openai-key');
});
afterEach(() => vi.unstubAllEnvs());

function load(config: unknown): LoadedApisixRouter {
  return loadApisixRouter(config, recordWarnings(), { hasSecretResolver: false });
}

const proxy = { 'ai-proxy-multi': { instances: [instance()] } };

function route(fields: object = {}, plugins: object = proxy): Record<string, unknown> {
  return { uri: '/a', plugins, ...fields };
}

function loadOne(fields: object, plugins: object = proxy): LoadedRoute | undefined {
  return load({ routes: [route(fields, plugins)] }).routes[0];
}

describe('what a route is loaded into', () => {
  it('has every default', () => {
    expect(loadOne({})).toEqual({
      id: 'route-1',
      uris: ['/a'],
      methods: undefined,
      hosts: [],
      priority: 0,
      config: expect.objectContaining({ timeout: 30000 }),
      forwardsAuthorization: false,
    });
  });

  it('has what was written', () => {
    const fields = {
      id: 'chat',
      uri: undefined,
      uris: ['/a', '/b/*'],
      methods: ['GET', 'POST'],
      hosts: ['Api.Example.com', '*.example.org'],
      priority: -5,
    };
    expect(loadOne(fields)).toMatchObject({
      id: 'chat',
      uris: ['/a', '/b/*'],
      methods: ['GET', 'POST'],
      hosts: ['api.example.com', '*.example.org'],
      priority: -5,
    });
  });

  it.each([
    [{ uri: '/x' }, { uris: ['/x'] }],
    [{ uri: undefined, paths: ['/x', '/y'] }, { uris: ['/x', '/y'] }],
    [{ host: 'A.example.com' }, { hosts: ['a.example.com'] }],
    [{ host: '*' }, { hosts: [] }],
    [{ hosts: ['a.example.com', '*'] }, { hosts: [] }],
    [{ methods: [] }, { methods: undefined }],
    [{ id: 7 }, { id: '7' }],
    [{ status: 1 }, { id: 'route-1' }],
  ])('understands %j', (fields, loaded) => {
    expect(loadOne(fields)).toMatchObject(loaded);
  });

  it('has the plugins, each as its own loader makes it', () => {
    const loaded = loadOne(
      {},
      {
        'key-auth': { header: 'X-Key' },
        'ai-rate-limiting': { limit: 5, time_window: 60, rejected_code: 429 },
        'ai-proxy': { provider: 'openai', auth: { header: { a: '$env://OPENAI_API_KEY' } } },
      },
    );
    expect(loaded?.keyAuth?.header).toBe('x-key');
    expect(loaded?.rateLimiting).toMatchObject({ global: { limit: 5, timeWindow: 60 }, rejectedCode: 429 });
    expect(loaded?.config.instances).toMatchObject([
      { name: 'ai-proxy-openai', auth: { header: { a: 'openai-key' } } },
    ]);
  });

  it('takes the early form of ai-proxy-multi', () => {
    const early = { 'ai-proxy-multi': { providers: [{ name: 'openai', model: 'm', auth: {} }] } };
    expect(loadOne({}, early)?.config.instances).toMatchObject([{ name: 'openai', options: { model: 'm' } }]);
  });

  it('is without plugins that are switched off, known or not', () => {
    const off = { _meta: { disable: true } };
    const plugins = { 'key-auth': off, 'ai-rate-limiting': off, 'ai-proxy': off, prometheus: off };
    const loaded = loadOne({}, { ...proxy, ...plugins });
    expect(loaded).not.toHaveProperty('keyAuth');
    expect(loaded).not.toHaveProperty('rateLimiting');
    expect(loaded?.config.instances).toMatchObject([{ name: 'one' }]);
  });

  it('does without what is for people, and without what decides nothing here', () => {
    const fields = {
      name: 'n',
      desc: 'd',
      labels: { a: 'b' },
      create_time: 1,
      update_time: 2,
      timeout: { connect: 1, send: 1, read: 1 },
      enable_websocket: true,
      upstream: { nodes: {} },
      upstream_id: 1,
    };
    expect(loadOne(fields)).toEqual(loadOne({}));
  });
});

describe('what a router is loaded into', () => {
  it('has its routes in the order they were written, and no route that is switched off', () => {
    const routes = [route({ id: 'a' }), route({ id: 'b', status: 0 }), route({ priority: 9 })];
    expect(load({ routes }).routes.map(({ id }) => id)).toEqual(['a', 'route-3']);
  });

  it('knows entries of an object by their names, unless they have an id', () => {
    const routes = { a: route(), b: route({ id: 'c' }) };
    expect(load({ routes }).routes.map(({ id }) => id)).toEqual(['a', 'c']);
  });

  it('has the consumers', () => {
    const consumers = [{ username: 'jane', plugins: { 'key-auth': { key: 'k' } } }];
    expect(load({ routes: [], consumers }).consumers).toEqual([{ username: 'jane', keys: ['k'] }]);
    expect(load({ routes: [] }).consumers).toEqual([]);
  });

  it('lets a route name the consumer that stands for everybody', () => {
    const plugins = { ...proxy, 'key-auth': { anonymous_consumer: 'guest' } };
    const config = { routes: [route({}, plugins)], consumers: [{ username: 'guest' }] };
    expect(load(config).routes[0]?.keyAuth?.anonymousConsumer).toBe('guest');
  });

  it('is frozen throughout, while the input stays as it was', () => {
    const written = {
      routes: { a: route({ hosts: ['A.b'], methods: ['GET'] }) },
      consumers: [{ username: 'a' }],
    };
    const before = structuredClone(written);
    const loaded = load(written);
    expect(written).toEqual(before);
    const [first] = loaded.routes;
    for (const part of [
      loaded,
      loaded.routes,
      first,
      first?.uris,
      first?.methods,
      first?.hosts,
      first?.config,
    ]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
  });
});

describe('a router warns', () => {
  const warnings = (config: unknown) => warningsOf(config, loadApisixRouter);

  it('of slips in plugins, at their place in the whole', () => {
    const plugins = {
      'ai-proxy-multi': { instances: [instance({ priorty: 1 })] },
      'key-auth': { realms: 'x' },
    };
    expect(warnings({ routes: { a: route({}, plugins) } }).map(({ path }) => path)).toEqual([
      'routes.a.plugins["key-auth"].realms',
      'routes.a.plugins["ai-proxy-multi"].instances[0].priorty',
    ]);
  });

  it('of a path that no request can have', () => {
    expect(warnings({ routes: [route({ uri: 'chat' })] })).toEqual([
      { path: 'routes[0]', message: 'no request has this path, since it does not begin with "/"' },
    ]);
    expect(warnings({ routes: [route({ uri: '*' })] })).toEqual([]);
  });

  it('of a limit for an instance that is called something else', () => {
    const limits = { instances: [{ name: 'noe', limit: 1, time_window: 1 }] };
    expect(warnings({ routes: [route({}, { ...proxy, 'ai-rate-limiting': limits })] })).toEqual([
      {
        path: 'routes[0].plugins["ai-rate-limiting"].instances[0].name',
        message: 'limits nothing: no instance of this route has this name; did you mean "one"?',
      },
    ]);
  });

  it('of what an upstream has and ai-proxy decides, but not of the defaults that the Admin API fills in', () => {
    const filled = { type: 'roundrobin', hash_on: 'vars', pass_host: 'pass', scheme: 'http' };
    const upstreams = [
      { id: 'a', nodes: { 'a:1': 1 }, ...filled, create_time: 1 },
      { id: 'b', nodes: { 'b:1': 1 }, type: 'chash', key: 'x', retries: 2, pass_host: 'rewrite' },
    ];
    expect(warnings({ routes: [], upstreams }).map(({ path }) => path)).toEqual([
      'upstreams[1].type',
      'upstreams[1].key',
      'upstreams[1].retries',
      'upstreams[1].pass_host',
    ]);
  });
});
