import type { Balancer, Weighted } from './balancer.ts';

/**
 * Smooth weighted round robin, as nginx does it: every target gains its weight, the richest is picked and pays
 * what all have gained. 8:2 over ten picks is exactly 8 and 2, spread out.
 */
export function roundRobin<Target extends Weighted>(targets: readonly Target[]): Balancer<Target> {
  const credit = new Map(targets.map((target) => [target, 0]));
  return {
    pick(_key, isOut) {
      let best: Target | undefined;
      let bestCredit = 0;
      let gained = 0;
      for (const target of targets) {
        if (isOut(target)) continue;
        const sum = (credit.get(target) ?? 0) + target.weight;
        credit.set(target, sum);
        gained += target.weight;
        if (best === undefined || sum > bestCredit) {
          best = target;
          bestCredit = sum;
        }
      }
      if (best !== undefined) credit.set(best, bestCredit - gained);
      return best;
    },
  };
}
