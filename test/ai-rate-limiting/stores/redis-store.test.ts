import { expect, it } from 'vitest';
import { describeWithRedis, startRedis } from '../../support/redis.ts';
import { failureOf, open, settingsFor } from './opening.ts';

const NOT_BEGUN = { used: 0, resetMs: undefined };

describeWithRedis('a store in Redis', () => {
  it('has counted nothing under a key that was never charged', async () => {
    const { store } = open(settingsFor(await startRedis()));
    expect(await store.read(['a'])).toEqual([NOT_BEGUN]);
  });

  it('counts each key by itself and answers in the order of the keys', async () => {
    const { store } = open(settingsFor(await startRedis()));
    await store.add([
      { key: 'a', amount: 30, windowSeconds: 600 },
      { key: 'b', amount: 5, windowSeconds: 100 },
      { key: 'a', amount: 12, windowSeconds: 600 },
    ]);
    const [b, none, a] = await store.read(['b', 'none', 'a']);
    expect([b?.used, none?.used, a?.used]).toEqual([5, 0, 42]);
    expect(none?.resetMs).toBeUndefined();
    expect(b?.resetMs).toBeGreaterThan(0);
    expect(b?.resetMs).toBeLessThanOrEqual(100_000);
    expect(a?.resetMs).toBeGreaterThan(100_000);
    expect(a?.resetMs).toBeLessThanOrEqual(600_000);
  });

  it('counts exactly what two stores add at the same time', async () => {
    const server = await startRedis();
    const [one, other] = [open(settingsFor(server)), open(settingsFor(server))];
    const charge = [{ key: 'shared', amount: 3, windowSeconds: 600 }];
    await Promise.all(
      Array.from({ length: 500 }, (_, index) => (index % 2 === 0 ? one : other).store.add(charge)),
    );
    expect((await one.store.read(['shared']))[0]?.used).toBe(1500);
    expect((await other.store.read(['shared']))[0]?.used).toBe(1500);
  });

  it('lets keys expire with their windows', async () => {
    const server = await startRedis();
    const { store } = open(settingsFor(server));
    await store.add([{ key: 'a', amount: 1, windowSeconds: 100 }]);
    const left = await server.call('PTTL', 'a');
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(100_000);
  });

  it('begins a window with the first charge and lets later ones neither prolong nor shorten it', async () => {
    const server = await startRedis();
    const { store } = open(settingsFor(server));
    await store.add([{ key: 'a', amount: 1, windowSeconds: 100 }]);
    await store.add([{ key: 'a', amount: 1, windowSeconds: 3600 }]);
    await store.add([{ key: 'a', amount: 1, windowSeconds: 1 }]);
    const [counter] = await store.read(['a']);
    expect(counter?.used).toBe(3);
    expect(counter?.resetMs).toBeGreaterThan(1000);
    expect(counter?.resetMs).toBeLessThanOrEqual(100_000);
  });

  it('begins anew, at 0, when the window has ended', async () => {
    const server = await startRedis();
    const { store } = open(settingsFor(server));
    await store.add([{ key: 'a', amount: 7, windowSeconds: 600 }]);
    await server.call('PEXPIREAT', 'a', 1);
    expect(await store.read(['a'])).toEqual([NOT_BEGUN]);
    await store.add([{ key: 'a', amount: 3, windowSeconds: 600 }]);
    expect((await store.read(['a']))[0]?.used).toBe(3);
  });

  it('keeps windows of a year and amounts as large as numbers are exact', async () => {
    const { store } = open(settingsFor(await startRedis()));
    const year = 365 * 24 * 60 * 60;
    await store.add([{ key: 'a', amount: Number.MAX_SAFE_INTEGER, windowSeconds: year }]);
    const [counter] = await store.read(['a']);
    expect(counter?.used).toBe(Number.MAX_SAFE_INTEGER);
    expect(counter?.resetMs).toBeGreaterThan((year - 60) * 1000);
  });

  it('refuses a charge that cannot be counted, and the rest of its batch with it', async () => {
    const { store } = open(settingsFor(await startRedis()));
    const good = { key: 'a', amount: 1, windowSeconds: 60 };
    await expect(store.add([good, { ...good, amount: 0.5 }])).rejects.toThrow(RangeError);
    await expect(store.add([{ ...good, windowSeconds: 0.5 }])).rejects.toThrow(RangeError);
    expect(await store.read(['a'])).toEqual([NOT_BEGUN]);
  });

  it('shortens a key of many kilobytes, and still tells it from another', async () => {
    const server = await startRedis();
    const { store } = open(settingsFor(server));
    const [one, other] = [`prefix:${'x'.repeat(16_384)}1`, `prefix:${'x'.repeat(16_384)}2`];
    await store.add([{ key: one, amount: 4, windowSeconds: 60 }]);
    const [read, unread] = await store.read([one, other]);
    expect([read?.used, unread?.used]).toEqual([4, 0]);
    const keys = await server.call('KEYS', 'prefix:*');
    expect(keys).toHaveLength(1);
    expect(String(keys).length).toBeLessThan(256);
  });

  it('says so when a key holds something that is not a counter, and goes on with others', async () => {
    const server = await startRedis();
    const { store } = open(settingsFor(server));
    await server.call('LPUSH', 'list', 'x');
    await server.call('SET', 'text', 'words');
    await expect(store.read(['list'])).rejects.toThrow('does not hold a number');
    await expect(store.read(['text'])).rejects.toThrow('does not hold a number');
    await expect(store.add([{ key: 'list', amount: 1, windowSeconds: 60 }])).rejects.toThrow('WRONGTYPE');
    expect(await store.read(['a'])).toEqual([NOT_BEGUN]);
  });

  it('counts on after Redis has forgotten its scripts', async () => {
    const server = await startRedis();
    const { store } = open(settingsFor(server));
    const charge = [{ key: 'a', amount: 1, windowSeconds: 600 }];
    await store.add(charge);
    await server.call('SCRIPT', 'FLUSH');
    await store.add(charge);
    expect((await store.read(['a']))[0]?.used).toBe(2);
  });

  it('asks Redis nothing when there is nothing to ask', async () => {
    const server = await startRedis();
    const { store } = open(settingsFor(server));
    await server.stop();
    expect(await store.read([])).toEqual([]);
    await store.add([]);
  });

  it('keeps its counters in the database of the settings', async () => {
    const server = await startRedis();
    const { store } = open(settingsFor(server, { database: 3 }));
    await store.add([{ key: 'a', amount: 1, windowSeconds: 60 }]);
    expect(await server.call('INFO', 'keyspace')).toContain('db3:keys=1');
  });

  it('counts nowhere rather than in another database when Redis does not have that one', async () => {
    const server = await startRedis();
    const { store } = open(settingsFor(server, { database: 99 }));
    const failure = await failureOf(store.add([{ key: 'a', amount: 1, windowSeconds: 60 }]));
    expect(failure.message).toContain('DB index is out of range');
    expect(await server.call('DBSIZE')).toBe(0);
  });
});
