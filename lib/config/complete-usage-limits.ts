import type { DefaultedUsageLimits } from './generated/model-defaulted.ts';
import type { LoadedUsageLimits } from './loaded-model-router.ts';

const NAMES = ['rps', 'rpm', 'rph', 'rpd', 'tpm', 'tpd', 'concurrency'] as const;

/** A limit of 0 lets nothing through. */
export function completeUsageLimits(limits: DefaultedUsageLimits = {}): LoadedUsageLimits {
  const completed: { -readonly [Name in keyof LoadedUsageLimits]: number } = {};
  for (const name of NAMES) {
    const limit = limits[name];
    if (limit !== undefined) completed[name] = limit;
  }
  return completed;
}
