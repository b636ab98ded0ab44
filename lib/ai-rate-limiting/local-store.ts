import { LRUCache } from 'lru-cache';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { boundedKey } from './bounded-key.ts';
import { checkedCharges } from './checked-charges.ts';
import type { Charge, Counter, CounterStore } from './counter-store.ts';

/** Keys may come from clients. Past this many, the one used longest ago is dropped, and its counter with it. */
const KEYS_REMEMBERED = 100_000;

const NOT_BEGUN: Counter = { used: 0, resetMs: undefined };

/** Counters in this process's memory, for whoever holds this store alone. */
export function openLocalStore(): CounterStore {
  // A duration of 0 is one without end. The library would end windows by setTimeout, which fires at once for more
  // than 2^31 - 1 ms (24.8 days) and needs a timer per key; so the windows are kept here, and it only counts.
  const counters = new RateLimiterMemory({ points: 0, duration: 0, keyPrefix: '' });
  const windowEnds = new LRUCache<string, number>({
    // Not `max`, which reserves the memory for all of them at once: there may be a store per consumer.
    maxSize: KEYS_REMEMBERED,
    sizeCalculation: () => 1,
    dispose: (_end, key) => {
      counters.delete(key);
    },
  });

  /** Milliseconds left of the key's window; one that is over is forgotten. */
  function remainingMs(key: string): number | undefined {
    const end = windowEnds.get(key);
    if (end === undefined) return undefined;
    const remaining = end - Date.now();
    if (remaining > 0) return remaining;
    windowEnds.delete(key);
    return undefined;
  }

  async function readOne(key: string): Promise<Counter> {
    const resetMs = remainingMs(key);
    if (resetMs === undefined) return NOT_BEGUN;
    const counter = await counters.get(key);
    return { used: counter?.consumedPoints ?? 0, resetMs };
  }

  async function addOne({ key: given, amount, windowSeconds }: Charge): Promise<void> {
    const key = boundedKey(given);
    if (remainingMs(key) === undefined) windowEnds.set(key, Date.now() + windowSeconds * 1000);
    await counters.penalty(key, amount);
  }

  return {
    read: (keys) => Promise.all(keys.map((key) => readOne(boundedKey(key)))),
    async add(charges) {
      await Promise.all(checkedCharges(charges).map(addOne));
    },
    async close() {
      windowEnds.clear();
    },
  };
}
