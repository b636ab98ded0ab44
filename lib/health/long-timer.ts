import { LONGEST_DELAY_MS } from '../within.ts';

/**
 * Calls back once, after any delay, `Infinity` included; a negative one is none. Does not keep the process alive.
 *
 * @returns what calls it off
 */
export function startLongTimer(delayMs: number, onDue: () => void): () => void {
  const dueMs = performance.now() + delayMs;
  let timer = wait();

  function wait(): NodeJS.Timeout {
    const leftMs = Math.max(0, dueMs - performance.now());
    if (leftMs <= LONGEST_DELAY_MS) return setTimeout(onDue, leftMs).unref();
    return setTimeout(() => {
      timer = wait();
    }, LONGEST_DELAY_MS).unref();
  }

  return () => clearTimeout(timer);
}
