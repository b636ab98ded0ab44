import type { LoadedSharedStore } from '../config/loaded-rate-limiting.ts';
import { LONGEST_DELAY_MS } from '../within.ts';

export interface RedisTimes {
  /** For one address to be connected to. */
  readonly connectMs: number;
  /** For every address in turn: an attempt that fails on the first may succeed on the next. */
  readonly attemptMs: number;
  readonly answerMs: number;
}

function times(connectMs: number, addresses: number, answerMs: number): RedisTimes {
  const inRange = (ms: number): number => Math.min(ms, LONGEST_DELAY_MS);
  return {
    connectMs: inRange(connectMs),
    attemptMs: inRange(connectMs * addresses),
    answerMs: inRange(answerMs),
  };
}

export function redisTimes(settings: LoadedSharedStore): RedisTimes {
  switch (settings.policy) {
    case 'redis':
      return times(settings.timeout, 1, settings.timeout);
    // One more: those listed only know where to go.
    case 'redis-cluster':
      return times(settings.timeout, settings.nodes.length + 1, settings.timeout);
    case 'redis-sentinel':
      return times(settings.connectTimeout, settings.sentinels.length + 1, settings.readTimeout);
  }
}
