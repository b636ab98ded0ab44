import type { Balancer, Measured } from './balancer.ts';
import { lowest } from './lowest.ts';

/** The cheapest target. One without a price comes last: it might cost anything. */
export function leastCost<Target extends Measured>(targets: readonly Target[]): Balancer<Target> {
  return lowest(targets, ({ metrics }) => metrics.price ?? Number.POSITIVE_INFINITY);
}
