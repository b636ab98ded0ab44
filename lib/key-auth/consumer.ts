import type { OwnedLimiter } from '../ai-rate-limiting/limiter.ts';
import type { LoadedConsumer } from '../config/loaded-key-auth.ts';
import type { LoadedRateLimiting } from '../config/loaded-rate-limiting.ts';

/** Somebody who may call. Holds no key. */
export interface Consumer {
  readonly username: string;
  /** The consumer's own limiter; `undefined` where only the route limits. */
  limiter(): OwnedLimiter | undefined;
  /** Resolves when every request that the limiter has been asked about is charged. */
  close(): Promise<void>;
}

/** @param scope whose counters they are */
export type MakeLimiter = (config: LoadedRateLimiting, scope: string) => OwnedLimiter;

interface ConsumerLimiter {
  limiter(): OwnedLimiter;
  close(): Promise<void>;
}

/**
 * A limiter takes some kilobytes, and most of ten thousand consumers are asleep: so it is made with the first request,
 * unless it needs a shared store, since one that cannot be used must show when it is mounted.
 */
function whenNeeded(config: LoadedRateLimiting, make: () => OwnedLimiter): ConsumerLimiter {
  let made = config.store.policy === 'local' ? undefined : make();
  let isClosed = false;
  return {
    limiter() {
      if (made === undefined) {
        made = make();
        // Requests are still served after the end, as the gateway's are: nothing of theirs must stay open.
        if (isClosed) void made.close();
      }
      return made;
    },
    async close() {
      isClosed = true;
      await made?.close();
    },
  };
}

const unlimited = { limiter: () => undefined, close: async () => {} };

/** Makes a consumer. */
export function makeConsumer({ username, rateLimiting }: LoadedConsumer, makeLimiter: MakeLimiter): Consumer {
  if (rateLimiting === undefined) return { username, ...unlimited };
  return { username, ...whenNeeded(rateLimiting, () => makeLimiter(rateLimiting, `consumer:${username}`)) };
}
