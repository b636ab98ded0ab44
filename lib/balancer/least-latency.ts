import type { Balancer, Measured } from './balancer.ts';
import { lowest } from './lowest.ts';

/** The target that has been quickest of late. One that nothing is known of comes first, so that it becomes known. */
export function leastLatency<Target extends Measured>(targets: readonly Target[]): Balancer<Target> {
  return lowest(targets, ({ metrics }) => metrics.averageLatencyMs ?? Number.NEGATIVE_INFINITY);
}
