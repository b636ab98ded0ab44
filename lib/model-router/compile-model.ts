import { type ModelRename, modelRename } from '../answer/model-name.ts';
import type { MakeBalancer } from '../balancer/balancer.ts';
import { consistentHash } from '../balancer/chash.ts';
import { failover } from '../balancer/failover.ts';
import { leastBusy } from '../balancer/least-busy.ts';
import { leastCost } from '../balancer/least-cost.ts';
import { leastLatency } from '../balancer/least-latency.ts';
import { roundRobin, type Turns } from '../balancer/round-robin.ts';
import { makeTiers, type Ranked, type Tier } from '../balancer/tiers.ts';
import type {
  LoadedDirectModel,
  LoadedHashSource,
  LoadedModel,
  LoadedRoutingModel,
  LoadedTarget,
  Strategy,
} from '../config/loaded-model-router.ts';
import type { AttemptRules, Instance, WholeReader } from '../plan.ts';
import type { Protocol } from '../protocols/protocol.ts';
import { type AddressList, makeAddressList } from './address-list.ts';
import type { RetryRules } from './is-retryable.ts';
import { eligibleTargets } from './routing-tags.ts';
import type { Target } from './target.ts';
import { plainTimeLimits, streamTimeLimits } from './time-limits.ts';
import type { UsageMeter } from './usage-limits.ts';
import { renamedAnswers } from './whole-answers.ts';

/** A target's place in one model: a direct model may be a target of many. */
export interface Seat extends Ranked {
  readonly target: Target;
  readonly tags: readonly string[];
  /** What somebody has configured; `undefined` where nobody has. */
  readonly retries: number | undefined;
  readonly plain: AttemptRules;
  readonly stream: AttemptRules;
}

/** A name that callers may use, ready to serve requests. */
export interface ServedModel {
  /** What it was made of. */
  readonly loaded: LoadedModel;
  readonly name: string;
  /** Whether it routes to others. */
  readonly isAlias: boolean;
  readonly seats: ReadonlyMap<Instance, Seat>;
  readonly instances: readonly Instance[];
  readonly names: readonly string[];
  readonly tiers: readonly Tier<Seat>[];
  readonly strategy: Strategy;
  /** Among the targets, where they take turns. */
  readonly turns: Turns;
  readonly hashOn: readonly LoadedHashSource[];
  /** Those for a request with this `x-aisix-routing-tags` header. */
  readonly eligible: (tags: string | readonly string[] | undefined) => readonly Seat[];
  /** How many other targets a request may try. */
  readonly maxFallbacks: number;
  readonly retryRules: RetryRules;
  /** Whether targets are tried although all of them are unhealthy. */
  readonly triesAnyway: boolean;
  readonly addresses: AddressList | undefined;
  readonly meter: UsageMeter | undefined;
  /** Whether its use, or that of one of its targets, is limited. */
  readonly isLimited: boolean;
  /** How answers in a protocol are given its name. */
  presentation(protocol: Protocol): Presentation;
}

interface Presentation {
  readonly whole: WholeReader;
  readonly rename: ModelRename;
}

/** Made once for each protocol. */
function presentationOf(name: string): ServedModel['presentation'] {
  const made = new Map<Protocol, Presentation>();
  return (protocol) => {
    const known = made.get(protocol) ?? {
      whole: renamedAnswers(protocol, name),
      rename: modelRename(protocol, name),
    };
    made.set(protocol, known);
    return known;
  };
}

/** Many aliases have a ring each, and all of them are made at a start. */
const MAX_WEIGHT_UNITS = 64;

const STRATEGIES = {
  failover,
  consistent_hash: consistentHash(MAX_WEIGHT_UNITS),
  least_cost: leastCost,
  least_latency: leastLatency,
  least_busy: leastBusy,
} satisfies Record<Exclude<Strategy, 'round_robin'>, MakeBalancer>;

const UNBOUNDED = {
  maxResponseBytes: Number.POSITIVE_INFINITY,
  maxStreamDurationMs: Number.POSITIVE_INFINITY,
};

function seatOf(
  target: Target,
  place: Omit<LoadedTarget, 'model'>,
  alias: Partial<LoadedRoutingModel>,
): Seat {
  const { model, instance } = target;
  return {
    name: model.name,
    priority: place.priority,
    weight: place.weight,
    metrics: instance.metrics,
    target,
    tags: place.tags,
    retries: model.retries ?? alias.retries,
    plain: { ...UNBOUNDED, ...plainTimeLimits(model, alias) },
    stream: { ...UNBOUNDED, ...streamTimeLimits(model, alias) },
  };
}

function balancerFor(strategy: Strategy, turns: Turns): MakeBalancer {
  return strategy === 'round_robin' ? (targets) => roundRobin(targets, turns) : STRATEGIES[strategy];
}

function serve(
  model: LoadedModel,
  seats: readonly Seat[],
  strategy: Strategy,
  meter: UsageMeter | undefined,
  turns: Turns,
): ServedModel {
  const instances = seats.map(({ target }) => target.instance);
  return {
    loaded: model,
    name: model.name,
    isAlias: model.kind === 'routing',
    seats: new Map(seats.map((seat) => [seat.target.instance, seat])),
    instances,
    names: instances.map(({ name }) => name),
    tiers: makeTiers(seats, 'highest-first', balancerFor(strategy, turns)),
    strategy,
    turns,
    hashOn: [],
    eligible: eligibleTargets(seats),
    maxFallbacks: Number.POSITIVE_INFINITY,
    retryRules: { on429: false, statuses: new Set() },
    triesAnyway: false,
    meter,
    isLimited: meter !== undefined || seats.some(({ target }) => target.meter !== undefined),
    presentation: presentationOf(model.name),
    addresses: model.allowedCidrs === undefined ? undefined : makeAddressList(model.allowedCidrs),
  };
}

/** A direct model as callers see it: a plan with one target, which is tried whatever its state. */
export function serveDirect(
  model: LoadedDirectModel,
  target: Target,
  meter: UsageMeter | undefined,
): ServedModel {
  const seat = seatOf(target, { weight: 1, priority: 0, tags: [] }, {});
  return { ...serve(model, [seat], 'failover', meter, new Map()), triesAnyway: true };
}

/** What says how turns are shared. */
function sharesOf(seats: Iterable<Ranked>): string {
  return JSON.stringify([...seats].map(({ name, weight, priority }) => [name, weight, priority]));
}

/**
 * @param targets by name; the configuration has been checked, so that all of them are there
 * @param known what served this alias before; turns go on where names and weights are the same
 */
export function serveAlias(
  model: LoadedRoutingModel,
  targets: ReadonlyMap<string, Target>,
  meter: UsageMeter | undefined,
  known: ServedModel | undefined,
): ServedModel {
  const seats = model.targets.flatMap((place) => {
    const target = targets.get(place.model);
    return target === undefined ? [] : [seatOf(target, place, model)];
  });
  const takesTurnsOn = known !== undefined && sharesOf(known.seats.values()) === sharesOf(seats);
  return {
    ...serve(model, seats, model.strategy, meter, takesTurnsOn ? known.turns : new Map()),
    hashOn: model.hashOn,
    maxFallbacks: model.maxFallbacks ?? Number.POSITIVE_INFINITY,
    retryRules: { on429: model.retryOn429, statuses: new Set(model.fallbackOnStatuses) },
    triesAnyway: model.whenAllUnavailable === 'try_anyway',
  };
}
