import { describe, expect, it } from 'vitest';
import type { ConsumerConfig } from '../../lib/config/generated/consumer.ts';
import { instance } from '../support/app.ts';
import { startRouting } from './routing.ts';

const jane: ConsumerConfig = { username: 'jane', plugins: { 'key-auth': { key: 'jane-key' } } };
const john: ConsumerConfig = {
  username: 'john',
  credentials: [
    { id: 'one', plugins: { 'key-auth': { key: 'john-key' } } },
    { id: 'two', plugins: { 'key-auth': { key: 'john-other-key' } } },
  ],
};

describe('key-auth on a route', () => {
  it('guards that route and no other', async () => {
    const { who, llm } = await startRouting((route) => ({
      routes: [route('guarded', { uri: '/guarded' }, { 'key-auth': {} }), route('open', { uri: '/open' })],
      consumers: [jane],
    }));
    expect([await who('/guarded'), await who('/open')]).toEqual(['401', 'open']);
    expect(llm.calls).toHaveLength(1);
  });

  it('takes every key of every consumer, in a header or in the query', async () => {
    const { who } = await startRouting((route) => ({
      routes: [route('a', {}, { 'key-auth': {} })],
      consumers: [jane, john],
    }));
    const answers = [];
    for (const apikey of ['jane-key', 'john-key', 'john-other-key', 'nobodys-key']) {
      answers.push(await who('/chat', { headers: { apikey } }), await who(`/chat?apikey=${apikey}`));
    }
    expect(answers).toEqual(['a', 'a', 'a', 'a', 'a', 'a', '401', '401']);
  });

  it('says what is wrong in the words of APISIX', async () => {
    const { ask } = await startRouting((route) => ({
      routes: [route('a', {}, { 'key-auth': { realm: 'llm' } })],
      consumers: [jane],
    }));
    const missing = await ask('/chat');
    const invalid = await ask('/chat', { headers: { apikey: 'x' } });
    expect([missing.text, missing.headers['www-authenticate']]).toEqual([
      '{"message":"Missing API key in request"}',
      'apikey realm="llm"',
    ]);
    expect([invalid.text, invalid.status]).toEqual(['{"message":"Invalid API key in request"}', 401]);
  });

  it('has its own settings on every route', async () => {
    const { who, llm } = await startRouting((route) => ({
      routes: [
        route('a', { uri: '/a' }, { 'key-auth': { header: 'X-A' } }),
        route('b', { uri: '/b' }, { 'key-auth': { header: 'X-B', query: 'b', hide_credentials: true } }),
      ],
      consumers: [jane],
    }));
    const headers = { 'x-a': 'jane-key' };
    expect([await who('/a', { headers }), await who('/b', { headers })]).toEqual(['a', '401']);
    expect(await who('/b?b=jane-key')).toBe('b');
    // Neither route's key reaches the LLM.
    expect(llm.calls.map((call) => JSON.stringify(call.rawHeaders) + call.url).join()).not.toContain(
      'jane-key',
    );
  });

  it('looks before the body is read', async () => {
    const { ask } = await startRouting((route) => ({
      routes: [route('a', {}, { 'key-auth': {} })],
      consumers: [jane],
    }));
    expect((await ask('/chat', { body: 'no JSON' })).status).toBe(401);
    expect((await ask('/chat', { body: 'no JSON', headers: { apikey: 'jane-key' } })).status).toBe(400);
  });

  it('that is switched off lets everybody in, and keeps nothing from the LLM', async () => {
    const { who, llm } = await startRouting((route) => ({
      routes: [route('a', {}, { 'key-auth': { header: 'x-team', _meta: { disable: true } } })],
      consumers: [jane],
    }));
    expect(await who('/chat', { headers: { 'x-team': 'blue' } })).toBe('a');
    expect(llm.calls[0]?.headers['x-team']).toBe('blue');
  });

  it('counts everybody without a key as the anonymous consumer, where there is one', async () => {
    const { who } = await startRouting((route) => ({
      routes: [
        route('a', { uri: '/a' }, { 'key-auth': { anonymous_consumer: 'guest' } }),
        route('b', { uri: '/b' }, { 'key-auth': {} }),
      ],
      consumers: [jane, { username: 'guest' }],
    }));
    const invalid = { headers: { apikey: 'x' } };
    expect([await who('/a'), await who('/a', invalid), await who('/b')]).toEqual(['a', 'a', '401']);
  });

  it('says who calls, for instance to a consistent hash', async () => {
    const usernames = Array.from({ length: 20 }, (_, index) => `user-${index}`);
    const { who } = await startRouting((route, { url }) => ({
      routes: [
        route(
          'a',
          {},
          {
            'key-auth': {},
            'ai-proxy-multi': {
              balancer: { algorithm: 'chash', hash_on: 'consumer' },
              instances: [instance('one', url), instance('two', url), instance('three', url)],
            },
          },
        ),
      ],
      consumers: usernames.map((username) => ({ username, plugins: { 'key-auth': { key: username } } })),
    }));
    const askAll = async () => {
      const answers: string[] = [];
      for (const apikey of usernames) answers.push(await who('/chat', { headers: { apikey } }));
      return answers;
    };
    const answers = await askAll();
    expect(await askAll()).toEqual(answers);
    expect(new Set(answers).size).toBe(3);
  });
});
