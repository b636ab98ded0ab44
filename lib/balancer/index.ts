import type { MakeBalancer } from './balancer.ts';
import { chash } from './chash.ts';
import { leastBusy } from './least-busy.ts';
import { leastCost } from './least-cost.ts';
import { leastLatency } from './least-latency.ts';
import { roundRobin } from './round-robin.ts';

/** By the word that `balancer.algorithm` uses. */
export const balancers = {
  roundrobin: roundRobin,
  chash,
  least_busy: leastBusy,
  least_latency: leastLatency,
  least_cost: leastCost,
} satisfies Record<string, MakeBalancer>;
