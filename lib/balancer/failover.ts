import type { Balancer } from './balancer.ts';

/** The first target that is not out, in the order of the configuration, whatever the weights. */
export function failover<Target>(targets: readonly Target[]): Balancer<Target> {
  return {
    pick: (_key, isOut) => targets.find((target) => !isOut(target)),
  };
}
