import { describe, expect, it } from 'vitest';
import type { ApisixRoutePluginsConfig } from '../../lib/config/generated/apisix-route.ts';
import type { ConsumerConfig } from '../../lib/config/generated/consumer.ts';
import { instance } from '../support/app.ts';
import { type Routing, startRouting } from './routing.ts';

/** Every answer of the tests' LLM uses 31 tokens up, which is more. */
const tenTokens = { limit: 10, time_window: 60, rejected_code: 429 };
/** Enough for one answer, and not for two. */
const fortyTokens = { limit: 40, time_window: 60, rejected_code: 429 };

function consumer(username: string, limits?: ConsumerConfig['plugins']): ConsumerConfig {
  return { username, plugins: { 'key-auth': { key: `key-${username}` }, ...limits } };
}

const limited = (username: string): ConsumerConfig => consumer(username, { 'ai-rate-limiting': tenTokens });

/** Who answers each request in turn: to `/path`, or to `/path` with somebody's key. */
async function inTurn({ who }: Routing, requests: readonly (string | [path: string, username: string])[]) {
  const answers: string[] = [];
  for (const request of requests) {
    const [path, username] = typeof request === 'string' ? [request] : request;
    const headers: Record<string, string> = username === undefined ? {} : { apikey: `key-${username}` };
    answers.push(await who(path, { headers }));
  }
  return answers;
}

describe("a route's own limits", () => {
  it('count that route alone, also where another has the same limits and instances', async () => {
    const routing = await startRouting((route, llm) => {
      const plugins: ApisixRoutePluginsConfig = {
        'ai-rate-limiting': tenTokens,
        'ai-proxy-multi': { instances: [instance('same', llm.url)] },
      };
      return { routes: [route('a', { uri: '/a' }, plugins), route('b', { uri: '/b' }, plugins)] };
    });
    expect(await inTurn(routing, ['/a', '/a', '/b', '/b'])).toEqual(['same', '429', 'same', '429']);
  });

  it('count all its paths and callers together', async () => {
    const routing = await startRouting((route) => ({
      routes: [route('a', { uris: ['/a', '/b/*'] }, { 'ai-rate-limiting': tenTokens, 'key-auth': {} })],
      consumers: [consumer('jane'), consumer('john')],
    }));
    expect(
      await inTurn(routing, [
        ['/a', 'jane'],
        ['/b/c', 'john'],
      ]),
    ).toEqual(['a', '429']);
  });

  it('do not hold for a route without any', async () => {
    const routing = await startRouting((route) => ({
      routes: [route('a', { uri: '/a' }, { 'ai-rate-limiting': tenTokens }), route('b', { uri: '/b' })],
    }));
    expect(await inTurn(routing, ['/a', '/b', '/b', '/a'])).toEqual(['a', 'b', 'b', '429']);
  });

  it('are not looked at where the caller is turned away', async () => {
    const routing = await startRouting((route) => ({
      routes: [route('a', {}, { 'ai-rate-limiting': tenTokens, 'key-auth': {} })],
      consumers: [consumer('jane')],
    }));
    const refused = await routing.ask('/chat');
    expect(refused.headers).not.toHaveProperty('x-ai-ratelimit-limit-a');
    expect(await inTurn(routing, [['/chat', 'jane'], ['/chat', 'jane'], '/chat'])).toEqual([
      'a',
      '429',
      '401',
    ]);
  });

  it('hold for a single instance by its name', async () => {
    const routing = await startRouting((route, llm) => ({
      routes: [
        {
          ...route('a'),
          plugins: {
            'ai-proxy': { provider: 'openai', auth: {}, override: { endpoint: llm.url } },
            'ai-rate-limiting': {
              rejected_code: 429,
              instances: [{ name: 'ai-proxy-openai', limit: 10, time_window: 60 }],
            },
          },
        },
      ],
    }));
    expect(await inTurn(routing, ['/chat', '/chat'])).toEqual(['model', '429']);
  });

  it('are not there where they are switched off', async () => {
    const off = { ...tenTokens, _meta: { disable: true } };
    const routing = await startRouting((route) => ({
      routes: [route('a', {}, { 'ai-rate-limiting': off })],
    }));
    expect(await inTurn(routing, ['/chat', '/chat'])).toEqual(['a', 'a']);
  });

  it('can go by who calls', async () => {
    const rules = [{ key: '$consumer_name', count: 10, time_window: 60 }];
    const routing = await startRouting((route) => ({
      routes: [route('a', {}, { 'ai-rate-limiting': { rules, rejected_code: 429 }, 'key-auth': {} })],
      consumers: [consumer('jane'), consumer('john')],
    }));
    expect(
      await inTurn(routing, [
        ['/chat', 'jane'],
        ['/chat', 'jane'],
        ['/chat', 'john'],
        ['/chat', 'john'],
      ]),
    ).toEqual(['a', '429', 'a', '429']);
  });
});

describe("a consumer's own limits", () => {
  it("are nobody else's business", async () => {
    const routing = await startRouting((route) => ({
      routes: [route('a', {}, { 'key-auth': {} })],
      consumers: [limited('jane'), limited('john'), consumer('mary')],
    }));
    expect(
      await inTurn(routing, [
        ['/chat', 'jane'],
        ['/chat', 'jane'],
        ['/chat', 'john'],
        ['/chat', 'john'],
        ['/chat', 'mary'],
        ['/chat', 'mary'],
      ]),
    ).toEqual(['a', '429', 'a', '429', 'a', 'a']);
  });

  it("are looked at in place of the route's, which neither stop nor count that consumer", async () => {
    const generous = { limit: 1000, time_window: 60 };
    const routing = await startRouting((route) => ({
      routes: [route('a', {}, { 'key-auth': {}, 'ai-rate-limiting': fortyTokens })],
      consumers: [consumer('jane', { 'ai-rate-limiting': generous }), consumer('john'), limited('mary')],
    }));
    expect(
      await inTurn(routing, [
        // The route would stop her after the second.
        ['/chat', 'jane'],
        ['/chat', 'jane'],
        ['/chat', 'jane'],
        // It has counted nothing of that.
        ['/chat', 'john'],
        ['/chat', 'john'],
        ['/chat', 'john'],
        // It stops nobody who has less, or more.
        ['/chat', 'mary'],
        ['/chat', 'mary'],
        ['/chat', 'jane'],
      ]),
    ).toEqual(['a', 'a', 'a', 'a', 'a', '429', 'a', '429', 'a']);
  });

  it("tell themselves in the headers, and nothing of the route's", async () => {
    const { ask } = await startRouting((route) => ({
      routes: [route('a', {}, { 'key-auth': {}, 'ai-rate-limiting': fortyTokens })],
      consumers: [limited('jane')],
    }));
    const { headers } = await ask('/chat', { headers: { apikey: 'key-jane' } });
    expect(headers).toMatchObject({ 'x-ai-ratelimit-limit-a': '10', 'x-ai-ratelimit-remaining-a': '10' });
  });

  it('are one budget over all routes with an instance of the same name', async () => {
    const routing = await startRouting((route, llm) => {
      const plugins: ApisixRoutePluginsConfig = {
        'key-auth': {},
        'ai-proxy-multi': { instances: [instance('same', llm.url)] },
      };
      return {
        routes: [route('a', { uri: '/a' }, plugins), route('b', { uri: '/b' }, plugins)],
        consumers: [limited('jane'), limited('john')],
      };
    });
    expect(
      await inTurn(routing, [
        ['/a', 'jane'],
        ['/b', 'jane'],
        ['/b', 'john'],
        ['/a', 'john'],
      ]),
    ).toEqual(['same', '429', 'same', '429']);
  });

  it('count each instance for itself', async () => {
    const routing = await startRouting((route) => ({
      routes: [route('a', { uri: '/a' }, { 'key-auth': {} }), route('b', { uri: '/b' }, { 'key-auth': {} })],
      consumers: [limited('jane')],
    }));
    expect(
      await inTurn(routing, [
        ['/a', 'jane'],
        ['/b', 'jane'],
        ['/a', 'jane'],
        ['/b', 'jane'],
      ]),
    ).toEqual(['a', 'b', '429', '429']);
  });

  it('are the same for all keys of a consumer', async () => {
    const credentials = [{ plugins: { 'key-auth': { key: 'key-other' } } }];
    const routing = await startRouting((route) => ({
      routes: [route('a', {}, { 'key-auth': {} })],
      consumers: [{ ...limited('jane'), credentials }],
    }));
    expect(
      await inTurn(routing, [
        ['/chat', 'jane'],
        ['/chat', 'other'],
      ]),
    ).toEqual(['a', '429']);
  });

  it('hold for the anonymous consumer, which is everybody without a key', async () => {
    const routing = await startRouting((route) => ({
      routes: [route('a', {}, { 'key-auth': { anonymous_consumer: 'guest' } })],
      consumers: [{ username: 'guest', plugins: { 'ai-rate-limiting': tenTokens } }, consumer('jane')],
    }));
    expect(
      await inTurn(routing, ['/chat', ['/chat', 'nobody'], ['/chat', 'jane'], ['/chat', 'jane']]),
    ).toEqual(['a', '429', 'a', 'a']);
  });

  it('hold for nobody on a route that does not ask who calls', async () => {
    const routing = await startRouting((route) => ({
      routes: [route('a', {}, { 'key-auth': {} }), route('open', { uri: '/open' })],
      consumers: [limited('jane')],
    }));
    expect(
      await inTurn(routing, [
        ['/chat', 'jane'],
        ['/open', 'jane'],
        ['/open', 'jane'],
        ['/chat', 'jane'],
      ]),
    ).toEqual(['a', 'open', 'open', '429']);
  });

  it('are not there where they are switched off', async () => {
    const off = { ...tenTokens, _meta: { disable: true } };
    const routing = await startRouting((route) => ({
      routes: [route('a', {}, { 'key-auth': {}, 'ai-rate-limiting': fortyTokens })],
      consumers: [consumer('jane', { 'ai-rate-limiting': off })],
    }));
    const jane: [string, string] = ['/chat', 'jane'];
    // Then the route's count again.
    expect(await inTurn(routing, [jane, jane, jane])).toEqual(['a', 'a', '429']);
  });
});
