import { afterEach, describe, expect, it, vi } from 'vitest';
import { openLocalPools } from '../../../lib/ai-rate-limiting/local-pools.ts';
import { usualGrowth } from '../../support/heap.ts';

const charge = (key: string, amount = 1) => ({ key, amount, windowSeconds: 60 });

function stopClock(): void {
  vi.useFakeTimers({ toFake: ['Date'], now: 1_700_000_000_000 });
}

afterEach(() => {
  vi.useRealTimers();
});

describe('a pool of local counters', () => {
  it('loses none to as many new ones as somebody likes to make in another pool', () => {
    const pools = openLocalPools(100);
    pools.pool('spared').addOne(charge('mine', 7));
    for (let key = 0; key < 1000; key++) pools.pool('flooded').addOne(charge(`key-${key}`));
    expect(pools.pool('spared').readOne('mine').used).toBe(7);
    expect(pools.pool('flooded').readOne('key-0').used).toBe(0);
    expect(pools.pool('flooded').readOne('key-999').used).toBe(1);
  });

  it('does not share counters of the same name with another', () => {
    const pools = openLocalPools();
    pools.pool('a').addOne(charge('same'));
    expect(pools.pool('b').readOne('same').used).toBe(0);
  });

  it('stays while one of its windows lasts, however many others are opened', () => {
    stopClock();
    const pools = openLocalPools();
    pools.pool('kept').addOne(charge('a', 5));
    vi.setSystemTime(Date.now() + 59_999);
    for (let name = 0; name < 1000; name++) pools.pool(`pool-${name}`);
    expect(pools.pool('kept').readOne('a').used).toBe(5);
  });

  it('takes no memory once its windows are over and others have come', async () => {
    stopClock();
    const pools = openLocalPools();
    const grown = await usualGrowth(5, (round) => {
      for (let name = 0; name < 1000; name++) pools.pool(`pool-${round}-${name}`).addOne(charge('a'));
      vi.setSystemTime(Date.now() + 60_000);
    });
    // What a thousand pools take is some megabytes.
    expect(grown).toBeLessThan(500_000);
  });

  it('lets go of counters whose windows are over, as new ones come', async () => {
    stopClock();
    const pool = openLocalPools().pool('a');
    const grown = await usualGrowth(5, (round) => {
      for (let key = 0; key < 20_000; key++) pool.addOne(charge(`key-${round}-${key}`));
      vi.setSystemTime(Date.now() + 60_000);
    });
    expect(grown).toBeLessThan(500_000);
  });
});
