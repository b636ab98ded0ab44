import { describe, expect, it } from 'vitest';
import type { ApisixRouteConfig } from '../../lib/config/generated/apisix-route.ts';
import { send, startRouting } from './routing.ts';

/** Who answers a request to each host, by a table of routes that all have the same path unless they say so. */
async function answerers(
  routes: Readonly<Record<string, Partial<ApisixRouteConfig>>>,
  hosts: readonly string[],
): Promise<string[]> {
  const { who } = await startRouting((route) => ({
    routes: Object.entries(routes).map(([id, fields]) => route(id, fields)),
  }));
  const answers: string[] = [];
  for (const host of hosts) answers.push(await who('/chat', { headers: { host } }));
  return answers;
}

describe('the host of a route', () => {
  it('takes that host alone, in any letters', async () => {
    const hosts = ['api.test', 'API.Test', 'x.api.test', 'api.test.x', 'test'];
    expect(await answerers({ it: { host: 'Api.test' } }, hosts)).toEqual(['it', 'it', '404', '404', '404']);
  });

  it('with a * takes every name in front of it', async () => {
    const hosts = ['a.api.test', 'a.b.api.test', 'api.test', 'xapi.test', 'a.api.test.x'];
    expect(await answerers({ it: { host: '*.api.test' } }, hosts)).toEqual(['it', 'it', '404', '404', '404']);
  });

  it('can be one of several', async () => {
    const hosts = ['a.test', 'x.b.test', 'b.test', 'c.test'];
    expect(await answerers({ it: { hosts: ['a.test', '*.b.test'] } }, hosts)).toEqual([
      'it',
      'it',
      '404',
      '404',
    ]);
  });

  it.each([{}, { host: '*' }, { hosts: ['a.test', '*'] }])('%j takes every host', async (fields) => {
    expect(await answerers({ it: fields }, ['a.test', 'b.test:8080', '127.0.0.1'])).toEqual([
      'it',
      'it',
      'it',
    ]);
  });

  it('does not mind the port that was asked, nor the dot of a complete name', async () => {
    const hosts = ['api.test:8080', 'api.test.', 'API.test.:443'];
    expect(await answerers({ it: { host: 'api.test' } }, hosts)).toEqual(['it', 'it', 'it']);
  });

  it('can be an address', async () => {
    const hosts = ['127.0.0.1:9080', '[::1]', '[::1]:9080', '[::2]'];
    expect(await answerers({ it: { hosts: ['127.0.0.1', '[::1]'] } }, hosts)).toEqual([
      'it',
      'it',
      'it',
      '404',
    ]);
  });

  it('with a port takes that port alone', async () => {
    const hosts = ['api.test:8080', 'api.test:9090', 'api.test'];
    expect(await answerers({ it: { host: 'api.test:8080' } }, hosts)).toEqual(['it', '404', '404']);
  });

  it('is that of a target which names one, whatever the Host header says', async () => {
    const { port } = await startRouting((route) => ({
      routes: [route('a', { host: 'a.test' }), route('b', { host: 'b.test' })],
    }));
    const { who } = await send(port, 'http://a.test:8080/chat', { headers: { host: 'b.test' } });
    expect(who).toBe('a');
  });

  it('is nobody else than the Host header says: proxies in front are not believed', async () => {
    const { who } = await startRouting((route) => ({ routes: [route('a', { host: 'a.test' })] }));
    const headers = { host: 'b.test', 'x-forwarded-host': 'a.test', forwarded: 'host=a.test' };
    expect(await who('/chat', { headers })).toBe('404');
  });
});

describe('of several hosts', () => {
  const routes = {
    any: {},
    wide: { host: '*.test' },
    narrow: { host: '*.api.test' },
    whole: { host: 'a.api.test' },
  };
  const hosts = ['a.api.test', 'b.api.test', 'a.test', 'elsewhere'];
  const answers = ['whole', 'narrow', 'wide', 'any'];

  it('the one that says most goes first, whatever their order', async () => {
    expect(await answerers(routes, hosts)).toEqual(answers);
    const { any, wide, narrow, whole } = routes;
    expect(await answerers({ whole, narrow, wide, any }, hosts)).toEqual(answers);
  });

  it('it goes before the better path and the higher priority, as in APISIX', async () => {
    const better = { any: { uri: '/chat', priority: 9 }, narrow: { uri: '/*', host: '*.api.test' } };
    expect(await answerers(better, ['a.api.test', 'elsewhere'])).toEqual(['narrow', 'any']);
  });

  it('one whose paths do not fit leaves the request to the next', async () => {
    const others = { ...routes, whole: { host: 'a.api.test', uri: '/other' } };
    expect(await answerers(others, ['a.api.test'])).toEqual(['narrow']);
  });
});

describe('the methods of a route', () => {
  it('are those it takes', async () => {
    const { who } = await startRouting((route) => ({ routes: [route('it', { methods: ['POST', 'PUT'] })] }));
    const body = '{"messages":[]}';
    const answers = [];
    for (const method of ['POST', 'PUT', 'GET', 'PATCH', 'OPTIONS']) {
      answers.push(await who('/chat', { method, body }));
    }
    expect(answers).toEqual(['it', 'it', '404', '404', '404']);
  });

  it('are all where there is no list, or nothing in it', async () => {
    const { who } = await startRouting((route) => ({
      routes: [route('no', { uri: '/no' }), route('empty', { uri: '/empty', methods: [] })],
    }));
    for (const method of ['GET', 'PUT', 'DELETE', 'QUERY']) {
      const body = '{"messages":[]}';
      expect([await who('/no', { method, body }), await who('/empty', { method, body })]).toEqual([
        'no',
        'empty',
      ]);
    }
  });

  it('let two routes share a path', async () => {
    const { who } = await startRouting((route) => ({
      routes: [
        route('write', { methods: ['POST'] }),
        route('remove', { methods: ['DELETE'] }),
        route('rest', { uri: '/*' }),
      ],
    }));
    const body = '{"messages":[]}';
    expect(await who('/chat')).toBe('write');
    expect(await who('/chat', { method: 'DELETE', body })).toBe('remove');
    expect(await who('/chat', { method: 'PUT', body })).toBe('rest');
  });
});

describe('a route that is switched off', () => {
  it('takes nothing, and leaves its requests to the next', async () => {
    const { who } = await startRouting((route) => ({
      routes: [
        route('off', { status: 0 }),
        route('rest', { uri: '/*' }),
        route('gone', { uri: '/x', status: 0 }),
      ],
    }));
    expect([await who('/chat'), await who('/x')]).toEqual(['rest', 'rest']);
  });

  it('is no route in the status', async () => {
    const { router } = await startRouting((route) => ({
      routes: [route('off', { status: 0 }), route('on', { status: 1 })],
    }));
    expect(Object.keys(router.status())).toEqual(['on']);
  });
});
