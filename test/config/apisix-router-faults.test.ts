import { describe, expect, it } from 'vitest';
import { loadApisixRouter } from '../../lib/config/load-apisix-router.ts';
import { faultsOf, instance, pathsOf } from './loading.ts';

const proxy = { 'ai-proxy-multi': { instances: [instance()] } };
const single = { 'ai-proxy': { provider: 'openai', auth: {} } };
const nodes = { 'a:1': 1 };

const withRoute = (fields: object) => ({ routes: [{ uri: '/a', plugins: proxy, ...fields }] });
const withPlugins = (plugins: unknown) => withRoute({ plugins });
const withUpstream = (fields: object) => ({ routes: [], upstreams: [{ id: 'u', nodes, ...fields }] });
const faults = (config: unknown) => faultsOf(config, loadApisixRouter);
const unsupported = expect.stringMatching(/^is not supported/);
const one = 'must have one of uri, uris and paths';
const oneProxy = 'must have one of "ai-proxy" and "ai-proxy-multi"';

describe('what is wrong with a router is told at its place', () => {
  it.each([
    ['nothing', undefined, '', expect.stringMatching(/must be an object$/)],
    ['no routes', {}, 'routes', expect.stringContaining('is missing')],
    ['a misspelt field', { routes: [], upstream: [] }, 'upstream', expect.stringContaining('"upstreams"?')],
    ['routes that are none', { routes: 5 }, 'routes', expect.stringContaining('is 5, must be an array')],
    [
      'upstreams that are none',
      { routes: [], upstreams: 'a' },
      'upstreams',
      expect.stringContaining('is "a"'),
    ],
    [
      'consumers that are none',
      { routes: [], consumers: {} },
      'consumers',
      expect.stringContaining('an array'),
    ],
    ['a route that is none', { routes: [5] }, 'routes[0]', 'is 5, must be an object'],
    ['a route that is none, by its id', { routes: { a: null } }, 'routes.a', 'is null, must be an object'],
    [
      'an upstream that is none',
      { routes: [], upstreams: ['a:1'] },
      'upstreams[0]',
      'is "a:1", must be an object',
    ],
    ['a consumer that is none', { routes: [], consumers: [{}] }, 'consumers[0].username', expect.any(String)],
    [
      'two routes with one id',
      {
        routes: [
          { id: 1, uri: '/a', plugins: proxy },
          { id: '1', uri: '/b', plugins: proxy },
        ],
      },
      'routes[1].id',
      'is "1", must differ from routes[0].id',
    ],
    [
      'two upstreams with one id',
      { routes: [], upstreams: { a: { nodes }, b: { id: 'a', nodes } } },
      'upstreams.b.id',
      'is "a", must differ from upstreams.a.id',
    ],
  ])('%s', (_what, config, path, message) => {
    expect(faults(config)).toEqual([{ path, message }]);
  });
});

describe('what is wrong with a route is told at its place', () => {
  it.each([
    ['no path', withRoute({ uri: undefined }), 'routes[0]', one],
    ['two kinds of paths', withRoute({ uris: ['/b'] }), 'routes[0]', one],
    ['paths beside uris', withRoute({ uri: undefined, uris: ['/b'], paths: ['/c'] }), 'routes[0]', one],
    ['an empty path', withRoute({ uri: '' }), 'routes[0].uri', expect.any(String)],
    ['no paths at all', withRoute({ uri: undefined, paths: [] }), 'routes[0].paths', expect.any(String)],
    ['an illegal id', withRoute({ id: 'a b' }), 'routes[0].id', expect.stringContaining('is "a b"')],
    [
      'a method in small letters',
      withRoute({ methods: ['post'] }),
      'routes[0].methods[0]',
      expect.stringContaining('did you mean "POST"?'),
    ],
    ['a host with a path', withRoute({ host: 'a/b' }), 'routes[0].host', expect.stringContaining('is "a/b"')],
    [
      'host and hosts',
      withRoute({ host: 'a', hosts: ['b'] }),
      'routes[0]',
      'must have at most one of host and hosts',
    ],
    ['a priority that is none', withRoute({ priority: 1.5 }), 'routes[0].priority', expect.any(String)],
    ['a status that is none', withRoute({ status: 2 }), 'routes[0].status', 'is 2, must be 0 or 1'],
    [
      'a misspelt field',
      withRoute({ method: [] }),
      'routes[0].method',
      expect.stringContaining('"methods"?'),
    ],
    ['no plugins', withPlugins(undefined), 'routes[0].plugins', 'is missing, must be an object'],
    ['plugins that are none', withPlugins([]), 'routes[0].plugins', 'must be an object'],
    ['no proxy', withPlugins({ 'key-auth': {} }), 'routes[0].plugins', oneProxy],
    ['two proxies', withPlugins({ ...proxy, ...single }), 'routes[0].plugins', oneProxy],
    [
      'no proxy but one that is switched off',
      withPlugins({ 'ai-proxy': { _meta: { disable: true } } }),
      'routes[0].plugins',
      oneProxy,
    ],
    [
      'a plugin that is none',
      withPlugins({ ...proxy, 'key-auth': true }),
      'routes[0].plugins["key-auth"]',
      'must be an object',
    ],
    [
      'an unknown plugin',
      withPlugins({ ...proxy, prometheus: {} }),
      'routes[0].plugins.prometheus',
      'is not allowed; the only plugins here are "key-auth", "ai-rate-limiting", "ai-proxy" and "ai-proxy-multi"',
    ],
    [
      'a misspelt plugin',
      withPlugins({ ...proxy, 'ai-ratelimiting': {} }),
      'routes[0].plugins["ai-ratelimiting"]',
      expect.stringContaining('did you mean "ai-rate-limiting"?'),
    ],
    [
      'a fault within a plugin',
      withPlugins({ 'ai-proxy-multi': { instances: [instance({ weight: -1 })] } }),
      'routes[0].plugins["ai-proxy-multi"].instances[0].weight',
      'is -1, must be an integer of at least 0',
    ],
    [
      'a missing variable',
      withPlugins({ 'ai-proxy': { provider: 'openai', auth: { header: { a: '$env://NOT_THERE' } } } }),
      'routes[0].plugins["ai-proxy"].auth.header.a',
      'the environment variable NOT_THERE is not set',
    ],
    [
      'an anonymous consumer that is nobody',
      withPlugins({ ...proxy, 'key-auth': { anonymous_consumer: 'guest' } }),
      'routes[0].plugins["key-auth"].anonymous_consumer',
      'is "guest", must be the username of one of the consumers',
    ],
    [
      'a switch that is none',
      withPlugins({ ...proxy, 'key-auth': { _meta: { disable: 'yes' } } }),
      'routes[0].plugins["key-auth"]._meta.disable',
      'must be true or false',
    ],
  ])('%s', (_what, config, path, message) => {
    expect(faults(config)).toEqual([{ path, message }]);
  });

  it('even where it is switched off', () => {
    expect(pathsOf(withRoute({ status: 0, priority: 'high' }), loadApisixRouter)).toEqual([
      'routes[0].priority',
    ]);
  });
});

describe('what would change who may come in or what is run', () => {
  it.each([
    ['vars', [['arg_a', '==', '1']]],
    ['filter_func', 'function(vars) return true end'],
    ['remote_addr', '10.0.0.1'],
    ['remote_addrs', ['10.0.0.0/8']],
    ['script', 'return function() end'],
    ['script_id', '1'],
    ['plugin_config_id', 1],
  ])('is refused on a route: %s', (field, value) => {
    expect(faults(withRoute({ [field]: value }))).toEqual([
      { path: `routes[0].${field}`, message: unsupported },
    ]);
  });

  it.each(['filter', 'priority', 'pre_function'])('is refused in _meta: %s', (field) => {
    const plugins = { ...proxy, 'key-auth': { _meta: { [field]: 1 } } };
    expect(faults(withPlugins(plugins))).toEqual([
      { path: `routes[0].plugins["key-auth"]._meta.${field}`, message: unsupported },
    ]);
  });

  it.each(['service_name', 'discovery_type', 'discovery_args'])('is refused on an upstream: %s', (field) => {
    expect(faults(withUpstream({ [field]: 'x' }))).toEqual([
      { path: `upstreams[0].${field}`, message: unsupported },
    ]);
  });

  it.each(['client_cert', 'client_key', 'client_cert_id'])("is refused in an upstream's tls: %s", (field) => {
    expect(faults(withUpstream({ tls: { [field]: 'x' } }))).toEqual([
      { path: `upstreams[0].tls.${field}`, message: unsupported },
    ]);
  });
});

describe('what is wrong with an upstream is told at its place', () => {
  it.each([
    ['no id', { id: undefined }, 'upstreams[0].id', 'is missing, must be what ai-proxy calls the upstream'],
    ['no nodes', { nodes: undefined }, 'upstreams[0].nodes', expect.stringContaining('is missing')],
    ['no node', { nodes: {} }, 'upstreams[0].nodes', expect.stringContaining('a non-empty object')],
    [
      'an empty list of nodes',
      { nodes: [] },
      'upstreams[0].nodes',
      expect.stringContaining('a non-empty array'),
    ],
    [
      'a weight below 0',
      { nodes: { 'a:1': -1 } },
      'upstreams[0].nodes["a:1"]',
      expect.stringContaining('is -1'),
    ],
    [
      'a node that is a URL',
      { nodes: { 'http://a:1': 1 } },
      'upstreams[0].nodes',
      'holds "http://a:1", must hold nothing but "host:port", such as "127.0.0.1:8000"',
    ],
    [
      'a node without a weight',
      { nodes: [{ host: 'a' }] },
      'upstreams[0].nodes[0].weight',
      expect.stringContaining('is missing'),
    ],
    [
      'a port out of range',
      { nodes: [{ host: 'a', port: 65536, weight: 1 }] },
      'upstreams[0].nodes[0].port',
      expect.any(String),
    ],
    [
      'a host that is an unfinished address',
      { nodes: [{ host: '[::1', weight: 1 }] },
      'upstreams[0].nodes[0].host',
      'is "[::1", must be a host name or an address',
    ],
    [
      'a priority among nodes',
      { nodes: [{ host: 'a', weight: 1, priority: 1 }] },
      'upstreams[0].nodes[0].priority',
      'is 1, must be 0',
    ],
    ['another scheme', { scheme: 'grpc' }, 'upstreams[0].scheme', 'is "grpc", must be "http" or "https"'],
    ['a misspelt field', { schema: 'http' }, 'upstreams[0].schema', expect.stringContaining('"scheme"?')],
  ])('%s', (_what, fields, path, message) => {
    expect(faults(withUpstream(fields))).toEqual([{ path, message }]);
  });
});

describe('the faults of a router', () => {
  it('are all told at once, wherever they are', () => {
    const config = {
      routes: {
        a: { uri: '/a', plugins: { ...single, 'ai-rate-limiting': { limit: 0, time_window: 0 } } },
        b: { plugins: { 'ai-proxy': { upstream_id: 'v' } }, vars: [] },
      },
      consumers: [{ username: 'x y' }],
      upstreams: [{ id: 'u', nodes, scheme: 'tcp' }],
      services: [],
    };
    expect(pathsOf(config, loadApisixRouter).sort()).toEqual([
      'consumers[0].username',
      'routes.a.plugins["ai-rate-limiting"].limit',
      'routes.a.plugins["ai-rate-limiting"].time_window',
      'routes.b',
      'routes.b.plugins["ai-proxy"].upstream_id',
      'routes.b.vars',
      'services',
      'upstreams[0].scheme',
    ]);
  });

  it('are not told of those who refer to something faulty', () => {
    const config = {
      routes: [
        {
          uri: '/a',
          plugins: { 'ai-proxy': { upstream_id: 'u' }, 'key-auth': { anonymous_consumer: 'guest' } },
        },
      ],
      consumers: [{ username: 'guest', plugins: 5 }],
      upstreams: [{ id: 'u', nodes: 5 }],
    };
    expect(pathsOf(config, loadApisixRouter)).toEqual(['consumers[0].plugins', 'upstreams[0].nodes']);
  });
});
