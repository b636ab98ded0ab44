import type { LoadedUsageLimits } from '../config/loaded-model-router.ts';
import { isSameLimits, makeUsageMeter, type UsageMeter } from './usage-limits.ts';

/** Something whose use may be limited: models, or callers. */
export interface Limited {
  /** The same from one configuration to the next. */
  readonly id: string;
  readonly limits: LoadedUsageLimits;
}

/** A meter, and the limits it was made for. */
interface KeptMeter {
  readonly limits: LoadedUsageLimits;
  readonly meter: UsageMeter;
}

/** By id. What nothing limits is not in it. */
export type UsageMeters = ReadonlyMap<string, KeptMeter>;

/**
 * The meters of the next configuration: the same ones, with what they have counted, where the limits are the same;
 * new ones for new and changed limits. What is gone is not carried on. The meters there were stay as they are: a
 * configuration may still be dropped for one of its other parts, and a request under way ends with the meter it has
 * begun with.
 *
 * @param previous of the same kind; empty for the first configuration
 */
export function nextMeters(previous: UsageMeters, wanted: readonly Limited[]): UsageMeters {
  const next = new Map<string, KeptMeter>();
  for (const { id, limits } of wanted) {
    const known = previous.get(id);
    if (known !== undefined && isSameLimits(known.limits, limits)) {
      next.set(id, known);
      continue;
    }
    const meter = makeUsageMeter(limits);
    if (meter !== undefined) next.set(id, { limits, meter });
  }
  return next;
}
