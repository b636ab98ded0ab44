import type { IncomingHttpHeaders } from 'node:http';
import { retryAfterMs } from './retry-after.ts';

const FIRST_MS = 250;

const LONGEST_MS = 2000;

/** A client waits meanwhile: who asks for more is not worth it. */
const LONGEST_ASKED_MS = 5000;

/** Spreads those that have failed together. */
const JITTER_MS = 250;

/**
 * How long to wait before the same target is tried again: twice as long each time, or as long as the upstream asks
 * for, where that is not too long, and a little more by chance.
 *
 * @param retry 1 for the first
 * @param headers of the answer that failed; `undefined` where there was none
 * @param nowMs since the epoch
 * @param random from 0 to 1
 */
export function backoffMs(
  retry: number,
  headers: IncomingHttpHeaders | undefined,
  nowMs: number,
  random: () => number = Math.random,
): number {
  const askedMs = headers === undefined ? undefined : retryAfterMs(headers, nowMs);
  const isShort = askedMs !== undefined && askedMs <= LONGEST_ASKED_MS;
  const waitMs = isShort ? askedMs : Math.min(FIRST_MS * 2 ** (retry - 1), LONGEST_MS);
  return waitMs + random() * JITTER_MS;
}
