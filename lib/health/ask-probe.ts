import type { ProbeAnswer } from './background-result.ts';
import { startLongTimer } from './long-timer.ts';

/** Asks a target once. The signal says when nobody waits for it any more, or for what is left of its answer. */
export type BackgroundProbe = (signal: AbortSignal) => Promise<ProbeAnswer>;

/** What no answer in time counts as. */
const timedOut: ProbeAnswer = { status: 408 };

async function answerOf(probe: BackgroundProbe, signal: AbortSignal): Promise<ProbeAnswer> {
  try {
    return await probe(signal);
  } catch {
    // Its message might quote what was sent.
    return { error: 'PROBE_FAILED' };
  }
}

/**
 * Runs a probe, for so long at most: one that does not stop when it should holds up nobody. Never rejects.
 *
 * @param signal calls the probe off
 * @returns `undefined` if it was called off
 */
export async function askProbe(
  probe: BackgroundProbe,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<ProbeAnswer | undefined> {
  if (signal.aborted) return undefined;
  const ending = new AbortController();
  let onAbort = (): void => {};
  let stopTimer = (): void => {};
  const cut = new Promise<ProbeAnswer | undefined>((resolve) => {
    onAbort = () => resolve(undefined);
    stopTimer = startLongTimer(timeoutMs, () => resolve(timedOut));
  });
  signal.addEventListener('abort', onAbort);
  try {
    return await Promise.race([answerOf(probe, ending.signal), cut]);
  } finally {
    stopTimer();
    signal.removeEventListener('abort', onAbort);
    ending.abort();
  }
}
