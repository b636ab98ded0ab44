import { afterEach, describe, expect, it, vi } from 'vitest';
import { openLocalStore } from '../../../lib/ai-rate-limiting/local-store.ts';
import { heapUsed } from '../../support/heap.ts';

const DAY_SECONDS = 24 * 60 * 60;
const NOT_BEGUN = { used: 0, resetMs: undefined };

/** Counters do not run on timers, so the clock alone ends their windows. */
function stopClock(): void {
  vi.useFakeTimers({ toFake: ['Date'], now: 1_700_000_000_000 });
}

function passSeconds(seconds: number): void {
  vi.setSystemTime(Date.now() + seconds * 1000);
}

afterEach(() => {
  vi.useRealTimers();
});

describe('a local store', () => {
  it('has counted nothing under a key that was never charged', async () => {
    expect(await openLocalStore().read(['a'])).toEqual([NOT_BEGUN]);
  });

  it('counts each key by itself and answers in the order of the keys', async () => {
    stopClock();
    const store = openLocalStore();
    await store.add([
      { key: 'a', amount: 30, windowSeconds: 60 },
      { key: 'b', amount: 5, windowSeconds: 10 },
      { key: 'a', amount: 12, windowSeconds: 60 },
    ]);
    expect(await store.read(['b', 'none', 'a'])).toEqual([
      { used: 5, resetMs: 10_000 },
      NOT_BEGUN,
      { used: 42, resetMs: 60_000 },
    ]);
  });

  it('finds a key again that holds half a character', async () => {
    const store = openLocalStore();
    await store.add([{ key: 'mallory\ud800', amount: 30, windowSeconds: 60 }]);
    expect((await store.read(['mallory\ud800']))[0]?.used).toBe(30);
  });

  it('shares nothing with another local store', async () => {
    await openLocalStore().add([{ key: 'a', amount: 1, windowSeconds: 60 }]);
    expect(await openLocalStore().read(['a'])).toEqual([NOT_BEGUN]);
  });

  it('begins a window with the first charge and lets later ones neither prolong nor shorten it', async () => {
    stopClock();
    const store = openLocalStore();
    await store.add([{ key: 'a', amount: 1, windowSeconds: 60 }]);
    passSeconds(20);
    await store.add([{ key: 'a', amount: 1, windowSeconds: 3600 }]);
    expect(await store.read(['a'])).toEqual([{ used: 2, resetMs: 40_000 }]);
  });

  it('keeps a counter to the last millisecond of its window, and not a millisecond longer', async () => {
    stopClock();
    const store = openLocalStore();
    await store.add([{ key: 'a', amount: 7, windowSeconds: 60 }]);
    passSeconds(59.999);
    expect(await store.read(['a'])).toEqual([{ used: 7, resetMs: 1 }]);
    passSeconds(0.001);
    expect(await store.read(['a'])).toEqual([NOT_BEGUN]);
  });

  it('begins a window anew, at 0, with the first charge after its end', async () => {
    stopClock();
    const store = openLocalStore();
    await store.add([{ key: 'a', amount: 7, windowSeconds: 60 }]);
    passSeconds(60);
    await store.add([{ key: 'a', amount: 3, windowSeconds: 5 }]);
    expect(await store.read(['a'])).toEqual([{ used: 3, resetMs: 5000 }]);
  });

  it('keeps windows of more than 24.8 days, the longest that setTimeout knows', async () => {
    stopClock();
    const store = openLocalStore();
    await store.add([{ key: 'a', amount: 7, windowSeconds: 365 * DAY_SECONDS }]);
    // A timer that took the delay for 1 ms would fire before these have.
    await new Promise((resolve) => setTimeout(resolve, 2));
    await new Promise((resolve) => setImmediate(resolve));
    passSeconds(364 * DAY_SECONDS);
    expect(await store.read(['a'])).toEqual([{ used: 7, resetMs: DAY_SECONDS * 1000 }]);
    passSeconds(DAY_SECONDS);
    expect(await store.read(['a'])).toEqual([NOT_BEGUN]);
  });

  it('drops, beyond 100,000 keys, those that were used longest ago', async () => {
    const store = openLocalStore(100_000);
    const add = (key: string) => store.add([{ key, amount: 1, windowSeconds: 60 }]);
    for (let key = 0; key < 100_000; key++) await add(`key-${key}`);
    await store.read(['key-0']);
    await add('one-more');
    const [read, oldest, next, newest] = await store.read(['key-0', 'key-1', 'key-2', 'one-more']);
    expect([read?.used, oldest?.used, next?.used, newest?.used]).toEqual([1, 0, 1, 1]);
  });

  it('begins a dropped key anew, and without what it had counted', async () => {
    const store = openLocalStore(100_000);
    await store.add([{ key: 'dropped', amount: 1_000_000, windowSeconds: 60 }]);
    const others = Array.from({ length: 100_000 }, (_, key) => ({
      key: `key-${key}`,
      amount: 1,
      windowSeconds: 60,
    }));
    await store.add(others);
    await store.add([{ key: 'dropped', amount: 2, windowSeconds: 60 }]);
    expect((await store.read(['dropped']))[0]?.used).toBe(2);
  });

  it.each([
    ['however long they are', (key: number) => `${key}${'x'.repeat(4096)}`],
    ['whatever they were cut from', (key: number) => `${key}${'x'.repeat(4096)}`.slice(0, 100)],
  ])(
    'takes no more memory for 60,000 keys than for 20,000, %s',
    async (_what, nameOf) => {
      const store = openLocalStore(20_000);
      const fill = async (from: number): Promise<number> => {
        for (let key = from; key < from + 20_000; key++) {
          await store.add([{ key: nameOf(key), amount: 1, windowSeconds: 60 }]);
        }
        return heapUsed();
      };
      const before = await heapUsed();
      const full = await fill(0);
      expect(full - before).toBeLessThan(50e6);
      await fill(20_000);
      expect((await fill(40_000)) / full).toBeLessThan(1.2);
      // Its counters are still alive, so that this is what they take.
      expect((await store.read([nameOf(59_999)]))[0]?.used).toBe(1);
    },
    60_000,
  );

  it('takes next to no memory while it is empty: there may be one for each of 10,000 consumers', async () => {
    const before = await heapUsed();
    const stores = Array.from({ length: 10_000 }, () => openLocalStore(100_000));
    const used = (await heapUsed()) - before;
    // Memory set aside for its keys would be a megabyte each.
    expect(used).toBeLessThan(10_000 * 16_384);
    expect(stores).toHaveLength(10_000);
  });

  it('tells apart long keys that begin alike', async () => {
    const store = openLocalStore(100_000);
    const [one, other] = [`${'x'.repeat(5000)}1`, `${'x'.repeat(5000)}2`];
    await store.add([{ key: one, amount: 1, windowSeconds: 60 }]);
    const [read, unread] = await store.read([one, other]);
    expect([read?.used, unread?.used]).toEqual([1, 0]);
  });
});
