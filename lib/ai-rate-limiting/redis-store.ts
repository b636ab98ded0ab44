import type { RateLimiterRes } from 'rate-limiter-flexible';
import { boundedKey } from './bounded-key.ts';
import { checkedCharges } from './checked-charges.ts';
import type { RedisConnection } from './connect-redis.ts';
import type { Counter, SharedCounterStore } from './counter-store.ts';

function toCounter(counter: RateLimiterRes | null): Counter {
  if (counter === null) return { used: 0, resetMs: undefined };
  const { consumedPoints: used, msBeforeNext } = counter;
  // Under a key of ours somebody else has put a list, or a name.
  if (!Number.isFinite(used)) throw new Error('a key does not hold a number');
  // Below 0 there is no end: the library sets one with the next charge.
  return { used, resetMs: msBeforeNext < 0 ? undefined : msBeforeNext };
}

/** Counters in Redis, for everybody who uses the same one. Closing the store closes the connection. */
export function openRedisStore(connection: RedisConnection): SharedCounterStore {
  return {
    async read(keys) {
      if (keys.length === 0) return [];
      return connection.run(async (limiter) => {
        const counters = await Promise.all(keys.map((key) => limiter.get(boundedKey(key))));
        return counters.map(toCounter);
      });
    },
    async add(charges) {
      if (charges.length === 0) return;
      const checked = checkedCharges(charges);
      await connection.run((limiter) =>
        Promise.all(
          checked.map(({ key, amount, windowSeconds }) =>
            limiter.penalty(boundedKey(key), amount, { customDuration: windowSeconds }),
          ),
        ),
      );
    },
    close: () => connection.close(),
  };
}
