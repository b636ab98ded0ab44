import type { Tier } from '../balancer/tiers.ts';
import type { LoadedCaller } from '../config/loaded-model-router.ts';
import type { Exchange, ServingPlan } from '../exchange.ts';
import { runtimeState } from '../health/runtime-state.ts';
import type { Asked, AttemptRules, Instance, Plan, Refusal, Verdict } from '../plan.ts';
import { anthropicPassthrough } from '../protocols/anthropic-passthrough.ts';
import type { Protocol } from '../protocols/protocol.ts';
import { clientAddress } from '../request/variables.ts';
import { backoffMs } from '../upstream/backoff.ts';
import type { Outcome } from '../upstream/outcome.ts';
import type { Try } from '../upstream/try.ts';
import type { Seat, ServedModel } from './compile-model.ts';
import { readHashKey } from './hash-source.ts';
import { isRetryable } from './is-retryable.ts';
import type { MeteredQuota } from './metered-quota.ts';
import { presentRouted } from './present-routed.ts';
import { refuseRouted } from './refuse-routed.ts';
import type { RouterHost } from './router-host.ts';
import type { Target } from './target.ts';

/** The lower, the better: nothing speaks against it, its failures bench it, its background check has failed. */
type Rank = 0 | 1 | 2;

function rankOf({ target: { instance, check } }: Seat, nowMs: number): Rank {
  if (check?.isUnhealthy(nowMs)) return 2;
  return runtimeState({ cooldown: instance.cooldown, check }, nowMs) === 'cooldown' ? 1 : 0;
}

/** Of what is merely passed on, only a server of Anthropic's API has what is below `/v1/messages`. */
function speaks({ instance, model }: Target, protocol: Protocol): boolean {
  if (protocol === anthropicPassthrough) return model.providerKey.adapter === 'anthropic';
  return instance.routes.has(protocol.name);
}

/** What all requests of one router have in common. */
export type SharedPlan = Pick<
  Plan,
  'limits' | 'logging' | 'withheldHeaders' | 'injectedHeaders' | 'isForwarded' | 'priorities' | 'close'
>;

/** Who is served what, and by which settings. */
export interface Routing {
  readonly exchange: Exchange;
  readonly model: ServedModel;
  /** `undefined` where callers are the host application's business. */
  readonly caller: LoadedCaller | undefined;
  readonly callId: string;
  /** `undefined` where nothing is limited. */
  readonly quota: MeteredQuota | undefined;
  readonly host: RouterHost;
  readonly shared: SharedPlan;
}

/** One request for one model: the plan by which it is served, which remembers what has been tried. */
export class RoutedRequest implements ServingPlan {
  readonly instances: Plan['instances'];
  readonly whole: ServingPlan['whole'];
  readonly names: Plan['names'];
  readonly limits: Plan['limits'];
  readonly logging: Plan['logging'];
  readonly withheldHeaders: Plan['withheldHeaders'];
  readonly injectedHeaders: Plan['injectedHeaders'];
  readonly priorities: Plan['priorities'];
  readonly #routing: Routing;
  readonly #eligible: readonly Seat[];
  #candidates: readonly Seat[] | undefined;
  #tier = 0;
  #seat: Seat | undefined;
  #targetsTried = 0;
  /** Of the target that is being tried. */
  #tries = 0;

  constructor(routing: Routing) {
    const { model, shared, exchange } = routing;
    this.#routing = routing;
    this.instances = model.instances;
    this.names = model.names;
    this.limits = shared.limits;
    this.logging = shared.logging;
    this.withheldHeaders = shared.withheldHeaders;
    this.injectedHeaders = shared.injectedHeaders;
    this.priorities = shared.priorities;
    this.#eligible = model.eligible(exchange.req.headers['x-aisix-routing-tags']);
    this.whole = model.presentation(exchange.protocol).whole;
  }

  isForwarded(): boolean {
    return false;
  }

  close(): void {}

  next(_asked: Asked, isOut: (instance: Instance) => boolean): Instance | undefined {
    const { model, quota } = this.#routing;
    if (this.#targetsTried > model.maxFallbacks) return undefined;
    const seat = this.#nextSeat(isOut);
    if (seat === undefined) return undefined;
    this.#seat = seat;
    this.#targetsTried++;
    this.#tries = 1;
    quota?.moveTo(seat.target.meter, seat.name);
    return seat.target.instance;
  }

  #nextSeat(isOut: (instance: Instance) => boolean): Seat | undefined {
    const { tiers } = this.#routing.model;
    for (; this.#tier < tiers.length; this.#tier++) {
      const tier = tiers[this.#tier];
      const seat = tier && this.#pickFrom(tier, ({ target }) => isOut(target.instance));
      if (seat !== undefined) return seat;
    }
    return undefined;
  }

  #pickFrom(tier: Tier<Seat>, isOut: (seat: Seat) => boolean): Seat | undefined {
    const { model, exchange, caller } = this.#routing;
    const last = this.#seat === undefined ? -1 : tier.targets.indexOf(this.#seat);
    if (model.strategy === 'round_robin' && last !== -1) {
      // Another turn would be taken from requests that begin with it: the rest follow from the winner on.
      const following = [...tier.targets.slice(last + 1), ...tier.targets.slice(0, last)];
      return following.find((seat) => !isOut(seat));
    }
    if (model.strategy === 'consistent_hash') {
      exchange.hashKey ??= readHashKey(model.hashOn, exchange.req, caller);
    }
    return tier.balancer.pick(exchange.hashKey ?? '', isOut);
  }

  /** Whatever can be said before the targets are compared with each other. */
  #ownRefusal(seat: Seat): Refusal | undefined {
    const { exchange, model } = this.#routing;
    const { addresses, meter } = seat.target;
    if (!speaks(seat.target, exchange.protocol)) return 'protocol_not_supported';
    if (addresses?.includes(clientAddress(exchange.req)) === false) return 'ip_restricted';
    if (!this.#eligible.includes(seat)) return 'tags_differ';
    // A direct model that is asked for itself has been looked at, and has counted this request.
    if (meter === undefined || meter === model.meter) return undefined;
    // By now, not by when the request began: what others have counted since must not look to be in the future.
    return meter.waitMs(Date.now()) > 0 ? 'rate_limited' : undefined;
  }

  refusal(_asked: Asked, instance: Instance): Refusal | undefined {
    const { model } = this.#routing;
    const seat = model.seats.get(instance);
    if (seat === undefined) return 'protocol_not_supported';
    const own = this.#ownRefusal(seat);
    if (own !== undefined) return own;
    this.#candidates ??= this.#findCandidates();
    if (this.#candidates.includes(seat)) return undefined;
    const rank = rankOf(seat, Date.now());
    if (rank === 0) return undefined;
    return rank === 2 ? 'unhealthy' : 'cooldown';
  }

  /** The best there are as the request begins: one that is benched before its turn is still better than an error. */
  #findCandidates(): readonly Seat[] {
    const { model } = this.#routing;
    const nowMs = Date.now();
    const candidates: Seat[] = [];
    let best: Rank = 2;
    for (const seat of model.seats.values()) {
      const rank = rankOf(seat, nowMs);
      if (rank > best || this.#ownRefusal(seat) !== undefined) continue;
      if (rank < best) candidates.length = 0;
      best = rank;
      candidates.push(seat);
    }
    return best === 2 && !model.triesAnyway ? [] : candidates;
  }

  refuse(exchange: Exchange): ReturnType<ServingPlan['refuse']> {
    return refuseRouted(exchange, this.#routing.model, Date.now());
  }

  attemptRules(instance: Instance, streams: boolean): AttemptRules {
    const seat = this.#routing.model.seats.get(instance);
    if (seat === undefined) throw new TypeError('An instance of another model was tried');
    return streams ? seat.stream : seat.plain;
  }

  isFailure(status: number): boolean {
    return status >= 400;
  }

  judge(_tries: number, outcome: Outcome): Verdict {
    if (outcome.kind === 'answered' && outcome.status < 400) {
      if (outcome.status < 300) this.#seat?.target.check?.noteSuccess();
      return 'answer';
    }
    if (!isRetryable(outcome, this.#routing.model.retryRules)) return 'answer';
    if (this.#tries > this.#retries(outcome)) return 'next';
    const headers = outcome.kind === 'answered' ? outcome.head.headers : undefined;
    return { againAfterMs: backoffMs(this.#tries++, headers, Date.now()) };
  }

  /** Without a word of the configuration, a target that fails is left rather than ground down. */
  #retries(outcome: Outcome): number {
    const configured = this.#seat?.retries;
    if (configured !== undefined) return configured;
    return outcome.kind === 'timed-out' || this.#hasOthers() ? 0 : this.#routing.host.defaultRetries;
  }

  #hasOthers(): boolean {
    const { model } = this.#routing;
    return this.#targetsTried <= model.maxFallbacks && this.#areOthersLeft();
  }

  #areOthersLeft(): boolean {
    const { model, exchange } = this.#routing;
    return model.instances.some(
      (instance) => !exchange.out.has(instance) && this.refusal(exchange, instance) === undefined,
    );
  }

  present(exchange: Exchange, tried: Try): void | Promise<void> {
    const { model, callId, host } = this.#routing;
    // Also where `max_fallbacks` would have ended it with that one.
    const isExhausted = isRetryable(tried.outcome, model.retryRules) && !this.#areOthersLeft();
    return presentRouted(exchange, tried, { model, callId, host, isExhausted });
  }
}
