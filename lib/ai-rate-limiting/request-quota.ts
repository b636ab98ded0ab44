import { GatewayError } from '../answer/gateway-error.ts';
import type { Consumption, Quota, QuotaLeft } from '../quota.ts';
import type { Counter } from './counter-store.ts';
import type { Meter } from './meter.ts';

/** What one request's view needs of its limiter. */
export interface QuotaKeeper {
  readonly rejectedCode: number;
  readonly rejectedMessage: string;
  readonly showsHeaders: boolean;
  /** Whether each instance has a counter of its own; rules count by what requests say. */
  readonly countsInstances: boolean;
  /** The counters that apply when this instance answers. @throws GatewayError 500 `invalid_quota` */
  metersOf(instance: string): readonly Meter[];
  /** @throws GatewayError 500 `quota_unavailable`; `undefined` where limits are off while there is no store */
  read(meters: readonly Meter[]): Promise<readonly Counter[] | undefined>;
  /** The request has ended. Returns what it is charged. */
  settle(meters: readonly Meter[], consumption: Consumption | undefined): number;
}

/** Seconds with two decimals, as APISIX tells them; before the first charge the window is still to begin. */
function resetSeconds({ windowSeconds }: Meter, { resetMs }: Counter): number {
  return resetMs === undefined ? windowSeconds : Math.floor(resetMs / 10) / 100;
}

function isSpent({ limit }: Meter, { used }: Counter): boolean {
  return used >= limit;
}

/** One request's view of its limiter's counters, as they were when it was about to pick an instance. */
export class RequestQuota implements Quota {
  readonly #keeper: QuotaKeeper;
  readonly #metersByInstance = new Map<string, readonly Meter[]>();
  readonly #counters = new Map<string, Counter>();

  #charged = 0;

  constructor(keeper: QuotaKeeper) {
    this.#keeper = keeper;
  }

  async look(instances: readonly string[]): Promise<void> {
    const meters = new Map<string, Meter>();
    for (const instance of instances) {
      for (const meter of this.#metersOf(instance)) meters.set(meter.key, meter);
    }
    if (meters.size === 0) return;
    const counters = await this.#keeper.read([...meters.values()]);
    if (counters === undefined) return;
    for (const [index, key] of [...meters.keys()].entries()) {
      const counter = counters[index];
      if (counter !== undefined) this.#counters.set(key, counter);
    }
  }

  isSpent(instance: string): boolean {
    return this.#spent([instance]).length > 0;
  }

  rejection(instances: readonly string[]): GatewayError {
    const { rejectedCode, rejectedMessage } = this.#keeper;
    // Any of the instances will do again, but each only when all its counters do.
    const waits = instances.map((instance) => Math.max(0, ...this.#spent([instance]).map(resetOf)));
    return new GatewayError(rejectedCode, 'quota_exceeded', rejectedMessage, {
      retryAfterSeconds: Math.max(1, Math.ceil(Math.min(...waits))),
    });
  }

  headers(instances: readonly string[]): Readonly<Record<string, string>> {
    const headers: Record<string, string> = {};
    if (!this.#keeper.showsHeaders) return headers;
    for (const [meter, counter] of this.#known(instances)) {
      headers[meter.headers.limit] = String(meter.limit);
      headers[meter.headers.remaining] = String(Math.max(0, meter.limit - counter.used));
      headers[meter.headers.reset] = String(resetSeconds(meter, counter));
    }
    return headers;
  }

  left(instance: string): QuotaLeft | undefined {
    const [known, ...others] = this.#known([instance]);
    if (known === undefined || others.length > 0 || !this.#keeper.countsInstances) return undefined;
    const [{ limit }, { used, resetMs }] = known;
    return {
      limit,
      remaining: Math.max(0, limit - used - this.#charged),
      resetsAtMs: resetMs === undefined ? undefined : Date.now() + resetMs,
    };
  }

  settle(instance: string | undefined, consumption: Consumption | undefined): void {
    const meters = instance === undefined ? undefined : this.#metersByInstance.get(instance);
    this.#charged = this.#keeper.settle(meters ?? [], consumption);
  }

  #metersOf(instance: string): readonly Meter[] {
    const known = this.#metersByInstance.get(instance);
    if (known !== undefined) return known;
    const meters = this.#keeper.metersOf(instance);
    this.#metersByInstance.set(instance, meters);
    return meters;
  }

  /** The counters of these instances that have been read, in their order. */
  #known(instances: readonly string[]): [Meter, Counter][] {
    return instances.flatMap((instance) =>
      (this.#metersByInstance.get(instance) ?? []).flatMap((meter): [Meter, Counter][] => {
        const counter = this.#counters.get(meter.key);
        return counter === undefined ? [] : [[meter, counter]];
      }),
    );
  }

  #spent(instances: readonly string[]): [Meter, Counter][] {
    return this.#known(instances).filter(([meter, counter]) => isSpent(meter, counter));
  }
}

function resetOf([meter, counter]: [Meter, Counter]): number {
  return resetSeconds(meter, counter);
}
