import type { DefaultedUsageLimits } from './generated/model-defaulted.ts';
import type { LoadedUsageLimits } from './loaded-model-router.ts';

const NAMES = ['rps', 'rpm', 'rph', 'rpd', 'tpm', 'tpd', 'concurrency'] as const;

/** One for all, of whom there may be ten thousand. */
const NO_LIMITS: LoadedUsageLimits = Object.freeze({});

/** A limit of 0 lets nothing through. */
export function completeUsageLimits(limits: DefaultedUsageLimits | undefined): LoadedUsageLimits {
  if (limits === undefined) return NO_LIMITS;
  const completed: { -readonly [Name in keyof LoadedUsageLimits]: number } = {};
  for (const name of NAMES) {
    const limit = limits[name];
    if (limit !== undefined) completed[name] = limit;
  }
  return completed;
}
