import { expect, it } from 'vitest';
import { describeWithRedis, startRedis } from '../../support/redis.ts';
import { open, settingsFor } from './opening.ts';
import { startProxy } from './proxy.ts';

const KEYS = ['a', 'b', 'c', 'd', 'e'];

describeWithRedis('a round trip to Redis', () => {
  it('is all that reading many counters takes', async () => {
    const proxy = await startProxy(await startRedis());
    const { store } = open(settingsFor(proxy));
    await store.read(['warm']);
    proxy.hold();
    const read = store.read(KEYS);
    // While no answer comes through, nothing can be asked that depends on one.
    await proxy.sent(/\r\nexec\r\n/g, KEYS.length);
    proxy.release();
    expect(await read).toHaveLength(KEYS.length);
  });

  it('is all that charging many counters takes', async () => {
    const proxy = await startProxy(await startRedis());
    const { store } = open(settingsFor(proxy));
    await store.read(['warm']);
    proxy.hold();
    const added = store.add(KEYS.map((key) => ({ key, amount: 2, windowSeconds: 60 })));
    await proxy.sent(/\r\neval(sha)?\r\n/g, KEYS.length);
    proxy.release();
    await added;
    expect((await store.read(KEYS)).map(({ used }) => used)).toEqual([2, 2, 2, 2, 2]);
  });

  it('is shared by requests that come together', async () => {
    const proxy = await startProxy(await startRedis());
    const { store } = open(settingsFor(proxy));
    await store.read(['warm']);
    proxy.hold();
    const reads = Promise.all(KEYS.map((key) => store.read([key])));
    await proxy.sent(/\r\nexec\r\n/g, KEYS.length);
    proxy.release();
    expect(await reads).toHaveLength(KEYS.length);
    expect(proxy.connections).toBe(1);
  });
});
