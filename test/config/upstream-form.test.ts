import { describe, expect, it } from 'vitest';
import { loadApisixRouter } from '../../lib/config/load-apisix-router.ts';
import type { LoadedRoute } from '../../lib/config/loaded-apisix-router.ts';
import { faultsOf, recordWarnings } from './loading.ts';

type Upstreams = Record<string, object>;

const upstreams: Upstreams = {
  main: { nodes: { 'llm.example.com:443': 1 }, scheme: 'https' },
  spare: { nodes: { '127.0.0.1:8000': 1 } },
};

function configOf(proxy: object, of: Upstreams = upstreams): object {
  return { routes: [{ uri: '/a', plugins: { 'ai-proxy': proxy } }], upstreams: of };
}

function load(proxy: object, of: Upstreams = upstreams): LoadedRoute | undefined {
  return loadApisixRouter(configOf(proxy, of), recordWarnings(), { hasSecretResolver: false }).routes[0];
}

/** Name, priority, weight and endpoint of each instance. */
function outline(route: LoadedRoute | undefined): unknown[] | undefined {
  return route?.config.instances.map(({ name, priority, weight, endpoint }) => [
    name,
    priority,
    weight,
    endpoint,
  ]);
}

describe('ai-proxy that names upstreams', () => {
  it('becomes an instance for each, the fallback below', () => {
    const route = load({ upstream_id: 'main', upstream_fallback_id: 'spare' });
    expect(outline(route)).toEqual([
      ['main', 1, 1, 'https://llm.example.com/'],
      ['spare', 0, 1, 'http://127.0.0.1:8000/'],
    ]);
    expect(route?.config.instances[0]).toMatchObject({
      provider: 'openai-compatible',
      auth: { header: {}, query: {} },
      options: {},
    });
  });

  it("says that the caller's Authorization is passed on", () => {
    expect(load({ upstream_id: 'main' })?.forwardsAuthorization).toBe(true);
  });

  it('falls back on every failure, as often as retry says', () => {
    const fallback = { on429: true, on5xx: true, onRateLimit: true, statuses: [] };
    expect(load({ upstream_id: 'main', retry: 3 })?.config).toMatchObject({ fallback, max_retries: 3 });
    expect(load({ upstream_id: 'main' })?.config).not.toHaveProperty('max_retries');
    expect(load({ upstream_id: 'main', retry: 0 })?.config.max_retries).toBe(0);
  });

  it('takes the fields that every proxy has', () => {
    const fields = { timeout: 5, ssl_verify: false, keepalive: false, logging: { summaries: true } };
    expect(load({ upstream_id: 'main', ...fields })?.config).toMatchObject({
      timeout: 5,
      ssl_verify: false,
      keepalive: false,
      logging: { summaries: true, payloads: false },
    });
  });

  it('does not mind enable_upstream_host', () => {
    expect(load({ upstream_id: 'main', enable_upstream_host: false })).toEqual(load({ upstream_id: 'main' }));
  });

  it('becomes an instance for each node, with its weight', () => {
    const several = {
      a: { nodes: { 'one:1': 3, two: 2, '[::1]:4': 0 } },
      b: {
        scheme: 'https',
        nodes: [
          { host: 'three', port: 8443, weight: 1 },
          { host: '::1', weight: 5, priority: 0, metadata: { zone: 'x' } },
        ],
      },
    };
    expect(outline(load({ upstream_id: 'a', upstream_fallback_id: 'b' }, several))).toEqual([
      ['a', 1, 3, 'http://one:1/'],
      ['a-2', 1, 2, 'http://two/'],
      ['a-3', 1, 0, 'http://[::1]:4/'],
      ['b', 0, 1, 'https://three:8443/'],
      ['b-2', 0, 5, 'https://[::1]/'],
    ]);
  });

  it('never calls two instances the same, and the first node always as its upstream', () => {
    const nodes = { one: 1, two: 1 };
    const route = load({ upstream_id: 'a', upstream_fallback_id: 'a-2' }, { a: { nodes }, 'a-2': { nodes } });
    expect(outline(route)?.map((instance) => Array.isArray(instance) && instance[0])).toEqual([
      'a',
      'a-3',
      'a-2',
      'a-2-2',
    ]);
  });

  it('takes ids that are numbers', () => {
    const config = { ...configOf({ upstream_id: 7 }), upstreams: [{ id: 7, nodes: { a: 1 } }] };
    const { routes } = loadApisixRouter(config, recordWarnings(), { hasSecretResolver: false });
    expect(outline(routes[0])).toEqual([['7', 1, 1, 'http://a/']]);
  });
});

describe('ai-proxy that names upstreams is refused', () => {
  const base = 'routes[0].plugins["ai-proxy"]';

  it.each([
    [
      'an upstream that is not there',
      { upstream_id: 'mian' },
      'upstream_id',
      'is "mian", must be the id of one of the upstreams; did you mean "main"?',
    ],
    [
      'a fallback that is not there',
      { upstream_id: 'main', upstream_fallback_id: 'zzz' },
      'upstream_fallback_id',
      'is "zzz", must be the id of one of the upstreams',
    ],
    [
      'itself as the fallback',
      { upstream_id: 'main', upstream_fallback_id: 'main' },
      'upstream_fallback_id',
      'must differ from upstream_id',
    ],
    ['an id that is none', { upstream_id: {} }, 'upstream_id', expect.stringContaining('is an object')],
    ['a retry below 0', { upstream_id: 'main', retry: -1 }, 'retry', expect.stringContaining('is -1')],
    ['a time-out of 0', { upstream_id: 'main', timeout: 0 }, 'timeout', expect.stringContaining('is 0')],
    [
      'a provider beside them',
      { upstream_id: 'main', provider: 'openai' },
      'provider',
      'cannot stand beside "upstream_id", which is another form of ai-proxy; use one',
    ],
    [
      'auth beside them',
      { upstream_id: 'main', auth: {} },
      'auth',
      expect.stringContaining('cannot stand beside'),
    ],
  ])('with %s', (_what, proxy, field, message) => {
    expect(faultsOf(configOf(proxy), loadApisixRouter)).toEqual([{ path: `${base}.${field}`, message }]);
  });
});
