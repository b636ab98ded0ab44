import { LRUCache } from 'lru-cache';
import { boundedKey, copied } from './bounded-key.ts';
import { checkedCharge, checkedCharges } from './checked-charges.ts';
import type { Charge, Counter, CounterStore } from './counter-store.ts';

/** Keys may come from clients. Past this many, the one used longest ago is dropped, and its counter with it. */
const KEYS_REMEMBERED = 1_000_000;

const NOT_BEGUN: Counter = { used: 0, resetMs: undefined };

interface Window {
  used: number;
  readonly endsAtMs: number;
}

/** Counters that are there at once, and one by one: a request mostly has one. */
export interface LocalStore extends CounterStore {
  readOne(key: string): Counter;
  /** @throws RangeError where the amount or the window cannot be counted */
  addOne(charge: Charge): void;
  /** Milliseconds since the epoch when the last of all windows is over; 0 where none has begun. */
  readonly idleAtMs: number;
}

/** How many of those used longest ago are looked at when one more is added: what has ended goes faster than it comes. */
const LOOKED_AT = 2;

/**
 * Counters in this process's memory, for whoever holds this store alone. Kept in what bounds them, and looked at
 * without a promise: a counter of a rate limiter's library would need a timer and half a dozen promises more.
 */
export function openLocalStore(keysRemembered = KEYS_REMEMBERED): LocalStore {
  const windows = new LRUCache<string, Window>({
    // Not `max`, which reserves the memory for all of them at once.
    maxSize: keysRemembered,
    sizeCalculation: () => 1,
  });
  let idleAtMs = 0;

  /** Its windows are about equally long, so that those used longest ago have ended first. */
  function dropEnded(nowMs: number): void {
    for (let looked = 0; looked < LOOKED_AT; looked++) {
      const { value: key, done } = windows.rkeys().next();
      if (done || (windows.peek(key)?.endsAtMs ?? 0) > nowMs) return;
      windows.delete(key);
    }
  }

  function begin(key: string, used: number, windowSeconds: number, nowMs: number): void {
    const endsAtMs = nowMs + windowSeconds * 1000;
    idleAtMs = Math.max(idleAtMs, endsAtMs);
    windows.set(copied(key), { used, endsAtMs });
    dropEnded(nowMs);
  }

  function readOne(key: string): Counter {
    const window = windows.get(boundedKey(key));
    const resetMs = window === undefined ? 0 : window.endsAtMs - Date.now();
    return window === undefined || resetMs <= 0 ? NOT_BEGUN : { used: window.used, resetMs };
  }

  function addOne(charge: Charge): void {
    const { key: given, amount, windowSeconds } = checkedCharge(charge);
    const key = boundedKey(given);
    const nowMs = Date.now();
    const window = windows.get(key);
    if (window !== undefined && window.endsAtMs > nowMs) window.used += amount;
    else begin(key, amount, windowSeconds, nowMs);
  }

  return {
    read: (keys) => keys.map(readOne),
    add(charges) {
      for (const charge of checkedCharges(charges)) addOne(charge);
    },
    readOne,
    addOne,
    get idleAtMs() {
      return idleAtMs;
    },
    async close() {
      windows.clear();
    },
  };
}
