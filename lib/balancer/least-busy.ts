import type { Balancer, Measured } from './balancer.ts';
import { lowest } from './lowest.ts';

/** The target that would have the fewest requests under way for its weight, the one at hand included. */
export function leastBusy<Target extends Measured>(targets: readonly Target[]): Balancer<Target> {
  return lowest(targets, ({ metrics, weight }) => (metrics.inFlight + 1) / weight);
}
