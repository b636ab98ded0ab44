import { apisixRouter, ConfigError, type ConfigFault } from 'ai-proxy-multi';
import { describe, expect, it } from 'vitest';
import { asRouterConfig, keepLog } from './routing.ts';

const proxy = { 'ai-proxy': { provider: 'openai', auth: {} } };

function errorOf(config: unknown): ConfigError {
  const log = keepLog();
  try {
    apisixRouter(asRouterConfig(config), log.host);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('The configuration was accepted');
}

function faultsOf(config: unknown): readonly ConfigFault[] {
  return errorOf(config).errors;
}

describe('a router that cannot work', () => {
  it('is refused with all faults of all its routes, consumers and upstreams at once', () => {
    const error = errorOf({
      routes: [
        { id: 'a', plugins: { ...proxy, prometheus: {}, 'limit-count': {} } },
        { id: 'a', uri: '/b', vars: [['arg_a', '==', '1']], plugins: proxy },
        { uri: '/c', plugins: { 'ai-proxy': { upstream_id: 'nowhere' }, 'key-auth': { realm: '"' } } },
      ],
      consumers: [{ username: 'no such name' }, { username: 'x', plugins: { 'jwt-auth': {} } }],
      upstreams: [{ id: 'u', nodes: { 'a:1': 1 }, discovery_type: 'dns' }],
    });
    const paths = error.errors.map(({ path }) => path).sort();
    expect(paths).toEqual(
      [
        'consumers[0].username',
        'consumers[1].plugins["jwt-auth"]',
        'routes[0]',
        'routes[0].plugins.prometheus',
        'routes[0].plugins["limit-count"]',
        'routes[1].id',
        'routes[1].vars',
        'routes[2].plugins["ai-proxy"].upstream_id',
        'routes[2].plugins["key-auth"].realm',
        'upstreams[0].discovery_type',
      ].sort(),
    );
    for (const path of paths) expect(error.message).toContain(path);
  });

  it('lists the plugins there are when it is asked for another one', () => {
    expect(faultsOf({ routes: [{ uri: '/a', plugins: { ...proxy, prometheus: {} } }] })).toEqual([
      {
        path: 'routes[0].plugins.prometheus',
        message:
          'is not allowed; the only plugins here are "key-auth", "ai-rate-limiting", "ai-proxy" and "ai-proxy-multi"',
      },
    ]);
  });

  it.each([
    ['vars', [['arg_a', '==', '1']]],
    ['filter_func', 'function() return true end'],
    ['remote_addr', '10.0.0.1'],
    ['remote_addrs', ['10.0.0.0/8']],
    ['script', 'x'],
    ['plugin_config_id', 1],
  ])('is refused rather than served without %s, which decides who may come in', (field, value) => {
    const routes = [{ uri: '/a', plugins: proxy, [field]: value }];
    expect(faultsOf({ routes })).toEqual([
      { path: `routes[0].${field}`, message: expect.stringMatching(/^is not supported/) },
    ]);
  });

  it('is refused for a wrong host option as well', () => {
    const config = asRouterConfig({ routes: [] });
    expect(() => apisixRouter(config, { servedByHeader: 'not a header' })).toThrow(ConfigError);
  });
});
