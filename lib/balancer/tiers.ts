import type { Balancer, MakeBalancer, TargetMetrics } from './balancer.ts';

/** A target as the configuration ranks it. */
export interface Ranked {
  readonly name: string;
  readonly priority: number;
  readonly weight: number;
  readonly metrics: TargetMetrics;
}

/** The targets of one priority and what picks among them. */
export interface Tier<Target> {
  readonly priority: number;
  /** Those that can be picked: where some weights are 0, the others. */
  readonly targets: readonly Target[];
  readonly balancer: Balancer<Target>;
}

/** A target beside the weight it is picked by, which is 1 for all where every configured weight is 0. */
interface Seat<Target> {
  readonly name: string;
  readonly weight: number;
  readonly metrics: TargetMetrics;
  readonly target: Target;
}

function seat<Target extends Ranked>(target: Target, weight: number): Seat<Target> {
  return { name: target.name, weight, metrics: target.metrics, target };
}

function seatsOf<Target extends Ranked>(targets: readonly Target[]): Seat<Target>[] {
  const weighted = targets.filter((target) => target.weight > 0);
  if (weighted.length === 0) return targets.map((target) => seat(target, 1));
  return weighted.map((target) => seat(target, target.weight));
}

function makeTier<Target extends Ranked>(
  priority: number,
  targets: readonly Target[],
  makeBalancer: MakeBalancer,
): Tier<Target> {
  const seats = seatsOf(targets);
  const balancer = makeBalancer(seats);
  return {
    priority,
    targets: seats.map((seat) => seat.target),
    balancer: {
      pick: (key, isOut) => balancer.pick(key, ({ target }) => isOut(target))?.target,
    },
  };
}

/** Groups targets by priority, in the order in which the groups are tried. */
export function makeTiers<Target extends Ranked>(
  targets: readonly Target[],
  order: 'highest-first' | 'lowest-first',
  makeBalancer: MakeBalancer,
): readonly Tier<Target>[] {
  const priorities = [...new Set(targets.map((target) => target.priority))];
  priorities.sort((a, b) => (order === 'highest-first' ? b - a : a - b));
  return priorities.map((priority) =>
    makeTier(
      priority,
      targets.filter((target) => target.priority === priority),
      makeBalancer,
    ),
  );
}
