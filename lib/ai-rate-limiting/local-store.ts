import { LRUCache } from 'lru-cache';
import { boundedKey, copied } from './bounded-key.ts';
import { checkedCharges } from './checked-charges.ts';
import type { Charge, Counter, CounterStore } from './counter-store.ts';

/** Keys may come from clients. Past this many, the one used longest ago is dropped, and its counter with it. */
const KEYS_REMEMBERED = 1_000_000;

const NOT_BEGUN: Counter = { used: 0, resetMs: undefined };

interface Window {
  used: number;
  readonly endsAtMs: number;
}

/**
 * Counters in this process's memory, for whoever holds this store alone. Kept in what bounds them, and looked at
 * without a promise: a counter of a rate limiter's library would need a timer and half a dozen promises more.
 */
export function openLocalStore(keysRemembered = KEYS_REMEMBERED): CounterStore {
  const windows = new LRUCache<string, Window>({
    // Not `max`, which reserves the memory for all of them at once.
    maxSize: keysRemembered,
    sizeCalculation: () => 1,
  });

  function read(key: string): Counter {
    const window = windows.get(boundedKey(key));
    const resetMs = window === undefined ? 0 : window.endsAtMs - Date.now();
    return window === undefined || resetMs <= 0 ? NOT_BEGUN : { used: window.used, resetMs };
  }

  function add({ key: given, amount, windowSeconds }: Charge): void {
    const key = boundedKey(given);
    const nowMs = Date.now();
    const window = windows.get(key);
    if (window !== undefined && window.endsAtMs > nowMs) window.used += amount;
    else windows.set(copied(key), { used: amount, endsAtMs: nowMs + windowSeconds * 1000 });
  }

  return {
    read: (keys) => keys.map(read),
    add(charges) {
      for (const charge of checkedCharges(charges)) add(charge);
    },
    async close() {
      windows.clear();
    },
  };
}
