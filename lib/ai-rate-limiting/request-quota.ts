import { GatewayError } from '../answer/gateway-error.ts';
import type { Consumption, Quota, QuotaLeft, QuotaTold } from '../quota.ts';
import type { Counter } from './counter-store.ts';
import type { Meter, MetersOf } from './meter.ts';
import { writeQuota } from './write-quota.ts';

/** What one request's view needs of its limiter. */
export interface QuotaKeeper {
  readonly rejectedCode: number;
  readonly rejectedMessage: string;
  readonly showsHeaders: boolean;
  /** Whether each instance has a counter of its own; rules count by what requests say. */
  readonly countsInstances: boolean;
  /** @throws GatewayError 500 `quota_unavailable`; `undefined` where limits are off while there is no store */
  read(meters: readonly Meter[]): readonly Counter[] | Promise<readonly Counter[] | undefined>;
  /** The request has ended. Returns what it is charged. */
  settle(meters: readonly Meter[], consumption: Consumption | undefined): number;
}

/** Seconds with two decimals, as APISIX tells them; before the first charge the window is still to begin. */
function resetSeconds({ windowSeconds }: Meter, { resetMs }: Counter): number {
  return resetMs === undefined ? windowSeconds : Math.floor(resetMs / 10) / 100;
}

function tellCounter(meter: Meter, counter: Counter): QuotaTold {
  const { headers, limit } = meter;
  const remaining = Math.max(0, limit - counter.used);
  return { headers, limit, remaining, resetSeconds: resetSeconds(meter, counter) };
}

const NONE: readonly Meter[] = [];

/** One request's view of its limiter's counters, as they were when it was about to pick an instance. */
export class RequestQuota implements Quota {
  readonly #keeper: QuotaKeeper;
  readonly #metersOf: MetersOf;
  /** Those that have been read. */
  readonly #counters = new Map<Meter, Counter>();
  #hasLooked = false;
  #charged = 0;

  constructor(keeper: QuotaKeeper, metersOf: MetersOf) {
    this.#keeper = keeper;
    this.#metersOf = metersOf;
  }

  look(instances: readonly string[]): void | Promise<void> {
    const meters = this.#distinctMeters(instances);
    this.#hasLooked = true;
    if (meters.length === 0) return undefined;
    const found = this.#keeper.read(meters);
    if (found instanceof Promise) return found.then((counters) => this.#note(meters, counters));
    return this.#note(meters, found);
  }

  /** Rules are the same for all instances; other counters belong to one instance each. */
  #distinctMeters(instances: readonly string[]): readonly Meter[] {
    const [first] = instances;
    if (first === undefined) return NONE;
    if (instances.length === 1 || !this.#keeper.countsInstances) return this.#metersOf(first);
    return instances.flatMap(this.#metersOf);
  }

  #note(meters: readonly Meter[], counters: readonly Counter[] = []): void {
    for (let index = 0; index < meters.length; index++) {
      const meter = meters[index];
      const counter = counters[index];
      if (meter !== undefined && counter !== undefined) this.#counters.set(meter, counter);
    }
  }

  isSpent(instance: string): boolean {
    return this.#metersOf(instance).some((meter) => this.#isSpent(meter));
  }

  rejection(instances: readonly string[]): GatewayError {
    const { rejectedCode, rejectedMessage } = this.#keeper;
    // Any of the instances will do again, but each only when all its counters do.
    const waits = instances.map((instance) => this.#waitSeconds(instance));
    return new GatewayError(rejectedCode, 'quota_exceeded', rejectedMessage, {
      retryAfterSeconds: Math.max(1, Math.ceil(Math.min(...waits))),
    });
  }

  tell(instances: readonly string[]): readonly QuotaTold[] {
    const told: QuotaTold[] = [];
    if (!this.#keeper.showsHeaders) return told;
    for (const instance of instances) {
      for (const meter of this.#metersOf(instance)) {
        const counter = this.#counters.get(meter);
        if (counter !== undefined) told.push(tellCounter(meter, counter));
      }
    }
    return told;
  }

  headers(instances: readonly string[]): Record<string, string> {
    return writeQuota(this.tell(instances));
  }

  left(instance: string): QuotaLeft | undefined {
    if (!this.#hasLooked || !this.#keeper.countsInstances) return undefined;
    const [meter] = this.#metersOf(instance);
    const counter = meter === undefined ? undefined : this.#counters.get(meter);
    if (meter === undefined || counter === undefined) return undefined;
    const { used, resetMs } = counter;
    return {
      limit: meter.limit,
      remaining: Math.max(0, meter.limit - used - this.#charged),
      resetsAtMs: resetMs === undefined ? undefined : Date.now() + resetMs,
    };
  }

  settle(instance: string | undefined, consumption: Consumption | undefined): void {
    const meters = this.#hasLooked && instance !== undefined ? this.#metersOf(instance) : NONE;
    this.#charged = this.#keeper.settle(meters, consumption);
  }

  #isSpent(meter: Meter): boolean {
    const counter = this.#counters.get(meter);
    return counter !== undefined && counter.used >= meter.limit;
  }

  #waitSeconds(instance: string): number {
    const spent = this.#metersOf(instance).filter((meter) => this.#isSpent(meter));
    return Math.max(0, ...spent.map((meter) => this.#secondsLeft(meter)));
  }

  #secondsLeft(meter: Meter): number {
    const counter = this.#counters.get(meter);
    return counter === undefined ? 0 : resetSeconds(meter, counter);
  }
}
