import type { Balancer, Weighted } from './balancer.ts';

/** Whose turn it is: what each target has gained and not paid yet, by its name. */
export type Turns = Map<string, number>;

/**
 * Smooth weighted round robin, as nginx does it: every target gains its weight, the richest is picked and pays
 * what all have gained. 8:2 over ten picks is exactly 8 and 2, spread out.
 *
 * @param turns where it goes on, for targets whose names and weights are as before
 */
export function roundRobin<Target extends Weighted>(
  targets: readonly Target[],
  turns: Turns = new Map(),
): Balancer<Target> {
  return {
    pick(_key, isOut) {
      let best: Target | undefined;
      let bestCredit = 0;
      let gained = 0;
      for (const target of targets) {
        if (isOut(target)) continue;
        const sum = (turns.get(target.name) ?? 0) + target.weight;
        turns.set(target.name, sum);
        gained += target.weight;
        if (best === undefined || sum > bestCredit) {
          best = target;
          bestCredit = sum;
        }
      }
      if (best !== undefined) turns.set(best.name, bestCredit - gained);
      return best;
    },
  };
}
