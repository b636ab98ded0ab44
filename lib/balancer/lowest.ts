import type { Balancer } from './balancer.ts';

/**
 * Picks the target with the lowest number, the first of several with the same. Asked again with those that were
 * picked out, it gives the others in ascending order.
 *
 * @param numberOf read at each pick; never `NaN`
 */
export function lowest<Target>(
  targets: readonly Target[],
  numberOf: (target: Target) => number,
): Balancer<Target> {
  return {
    pick(_key, isOut) {
      let best: Target | undefined;
      let bestNumber = 0;
      for (const target of targets) {
        if (isOut(target)) continue;
        const number = numberOf(target);
        if (best !== undefined && number >= bestNumber) continue;
        best = target;
        bestNumber = number;
      }
      return best;
    },
  };
}
