import type { AttemptRules } from '../plan.ts';

/** The package's own: LLMs may think for long, but say something now and then. */
const SILENCE_MS = 30_000;

/** Times as a model says them: `Infinity` for none, absent where it says nothing. */
interface Times {
  readonly timeoutMs?: number;
  readonly streamTimeoutMs?: number;
}

type TimeLimits = Pick<AttemptRules, 'silenceMs' | 'totalMs'>;

/** For plain answers, `timeout` of the target, else of the alias, bounds the whole. */
export function plainTimeLimits(target: Times, alias: Times): TimeLimits {
  const totalMs = target.timeoutMs ?? alias.timeoutMs;
  if (totalMs === undefined) return { totalMs: Number.POSITIVE_INFINITY, silenceMs: SILENCE_MS };
  return { totalMs, silenceMs: Number.POSITIVE_INFINITY };
}

/**
 * For streams, `stream_timeout` of the target, else of the alias, else `timeout` bounds each silence, the one before
 * the first chunk included; their length is not bounded.
 */
export function streamTimeLimits(target: Times, alias: Times): TimeLimits {
  const totalMs = target.timeoutMs ?? alias.timeoutMs ?? SILENCE_MS;
  const otherwise = totalMs === Number.POSITIVE_INFINITY ? SILENCE_MS : totalMs;
  const silenceMs = target.streamTimeoutMs ?? alias.streamTimeoutMs ?? otherwise;
  return { totalMs: Number.POSITIVE_INFINITY, silenceMs };
}
