import { describe, expect, it } from 'vitest';
import { instance } from '../support/app.ts';
import { startHolding } from '../support/holding-upstream.ts';
import { routeTo, startRouting } from './routing.ts';

describe('status()', () => {
  it('tells the state of every route by its id, each with instances of its own', async () => {
    const { router, who } = await startRouting((route) => ({
      routes: [route('a', { uri: '/a' }), route('b', { uri: '/b' })],
    }));
    await who('/a');
    await who('/a');
    await who('/elsewhere');
    expect(router.status()).toMatchObject({
      a: { in_flight: 0, instances: [{ name: 'a', attempts: 2, answers: { '2xx': 2 } }] },
      b: { in_flight: 0, instances: [{ name: 'b', attempts: 0 }] },
    });
    expect(Object.keys(router.status())).toEqual(['a', 'b']);
  });

  it('calls routes that have no id by their place, or by their name in an object', async () => {
    const { router } = await startRouting((route) => {
      const { id: _, ...unnamed } = route('x');
      return { routes: [route('a', { uri: '/a' }), { ...unnamed, uri: '/b' }] };
    });
    expect(Object.keys(router.status())).toEqual(['a', 'route-2']);
    const { router: other, route } = await startRouting((make) => {
      const { id: _, ...unnamed } = make('x');
      return { routes: { 'by-name': unnamed } };
    });
    expect(Object.keys(other.status())).toEqual(['by-name']);
    other.update({ routes: { 'by-name': route('own-id'), 7: route('x') } });
    expect(Object.keys(other.status()).sort()).toEqual(['own-id', 'x']);
  });

  it('counts the requests of each route that are under way', async () => {
    const holding = await startHolding();
    const { router, ask } = await startRouting(() => ({
      routes: [routeTo(holding.url, 'a', { uri: '/a' }), routeTo(holding.url, 'b', { uri: '/b' })],
    }));
    const answers = [ask('/a'), ask('/a')];
    await holding.holding(2);
    const { a, b } = router.status();
    expect([a?.in_flight, b?.in_flight]).toEqual([2, 0]);
    holding.release();
    await Promise.all(answers);
  });

  it('is JSON', async () => {
    const { router, who } = await startRouting((route) => ({ routes: [route('a')] }));
    await who('/chat');
    const status = router.status();
    expect(JSON.parse(JSON.stringify(status))).toEqual(status);
  });

  it('begins anew with update()', async () => {
    const { router, route, who } = await startRouting((make) => ({ routes: [make('a'), make('b')] }));
    await who('/chat');
    router.update({ routes: [route('a')] });
    expect(router.status()).toMatchObject({ a: { instances: [{ attempts: 0 }] } });
    expect(Object.keys(router.status())).toEqual(['a']);
  });

  it('tells nodes of upstreams by the names of the upstreams', async () => {
    const { router } = await startRouting((_route, { url }) => ({
      routes: [{ uri: '/chat', plugins: { 'ai-proxy': { upstream_id: 'main' } } }],
      upstreams: [{ id: 'main', nodes: { [new URL(url).host]: 1 } }],
    }));
    expect(router.status()).toMatchObject({
      'route-1': { instances: [{ name: 'main', provider: 'openai-compatible' }] },
    });
  });

  it('has every instance of a route', async () => {
    const { router } = await startRouting((route, { url }) => ({
      routes: [
        route('a', {}, { 'ai-proxy-multi': { instances: [instance('one', url), instance('two', url)] } }),
      ],
    }));
    expect(router.status().a?.instances.map(({ name }) => name)).toEqual(['one', 'two']);
  });
});
