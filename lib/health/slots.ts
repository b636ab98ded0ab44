import { LONGEST_DELAY_MS } from '../within.ts';

/**
 * Waking up is what a probe of a healthy instance mostly costs: those that begin at the same moment share it. More
 * at a time would hold up the requests in between.
 */
const SLOT_MS = 200;

/** No interval is shorter. */
const SLOTS_PER_SECOND = 1000 / SLOT_MS;

/** A timer may be set for a slot's length more. */
const LONGEST_TIMER_MS = LONGEST_DELAY_MS - SLOT_MS;

/** Seconds of the configuration as a timer takes them. */
export function timerMs(seconds: number): number {
  return Math.min(seconds * 1000, LONGEST_TIMER_MS);
}

/** The next moment, not before the given one, at which probes begin. In `performance.now()`'s milliseconds. */
export function nextSlot(earliestMs: number): number {
  return Math.ceil(earliestMs / SLOT_MS) * SLOT_MS;
}

/**
 * How long an instance waits for its first probe, which spreads all instances over a second: the first is probed at
 * once, and the others right behind it.
 *
 * @param index how many others have begun before
 */
export function firstDelayMs(index: number): number {
  return (index % SLOTS_PER_SECOND) * SLOT_MS;
}
