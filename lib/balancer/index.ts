import type { MakeBalancer } from './balancer.ts';
import { chash } from './chash.ts';
import { roundRobin } from './round-robin.ts';

/** By the word that `balancer.algorithm` uses. */
export const balancers = {
  roundrobin: roundRobin,
  chash,
  least_busy: roundRobin,
  least_latency: roundRobin,
  least_cost: roundRobin,
} satisfies Record<string, MakeBalancer>;
