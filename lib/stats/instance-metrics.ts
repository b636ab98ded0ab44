import type { TargetMetrics } from '../balancer/balancer.ts';
import type { InstanceStats } from './instance-stats.ts';

/** What balancers go by, as the counts are at each look. */
export function instanceMetrics(
  stats: Pick<InstanceStats, 'inFlight' | 'averageLatencyMs'>,
  price: number | undefined,
): TargetMetrics {
  return {
    get inFlight() {
      return stats.inFlight;
    },
    get averageLatencyMs() {
      return stats.averageLatencyMs;
    },
    price,
  };
}
