import type { Consumption, Quota } from '../quota.ts';
import type { UsageMeter } from './usage-limits.ts';

interface Charge {
  readonly meter: UsageMeter;
  /** Pays for the tokens only if this instance has answered; `undefined` pays in any case. */
  readonly instance: string | undefined;
}

/** What a request uses of the limits of callers and models, beside the quota that a limiter in front may have given it. */
export class MeteredQuota implements Quota {
  readonly #inner: Quota | undefined;
  readonly #charges: Charge[] = [];
  /** That of the target which is being tried. */
  #target: Charge | undefined;

  constructor(inner: Quota | undefined) {
    this.#inner = inner;
  }

  /** Counts the request. What it uses is charged when it has ended. */
  begin(meter: UsageMeter | undefined): void {
    if (meter === undefined) return;
    meter.begin(Date.now());
    this.#charges.push({ meter, instance: undefined });
  }

  /** Counts the request for a target, in place of the one before, which has not answered. */
  moveTo(meter: UsageMeter | undefined, instance: string): void {
    const nowMs = Date.now();
    this.#target?.meter.end(0, nowMs);
    this.#target = undefined;
    // A direct model that is asked for itself has counted the request already.
    if (meter === undefined || this.#charges.some((charge) => charge.meter === meter)) return;
    meter.begin(nowMs);
    this.#target = { meter, instance };
  }

  look(instances: readonly string[]): void | Promise<void> {
    return this.#inner?.look(instances);
  }

  isSpent(instance: string): boolean {
    return this.#inner?.isSpent(instance) === true;
  }

  rejection(instances: readonly string[]): ReturnType<Quota['rejection']> {
    if (this.#inner === undefined) throw new TypeError('Nothing was spent that could be a reason to reject');
    return this.#inner.rejection(instances);
  }

  tell(instances: readonly string[]): ReturnType<Quota['tell']> {
    return this.#inner?.tell(instances) ?? [];
  }

  headers(instances: readonly string[]): Record<string, string> {
    return this.#inner?.headers(instances) ?? {};
  }

  left(instance: string): ReturnType<Quota['left']> {
    return this.#inner?.left(instance);
  }

  settle(instance: string | undefined, consumption: Consumption | undefined): void {
    const nowMs = Date.now();
    const tokens = consumption?.usage.totalTokens ?? 0;
    if (this.#target !== undefined) this.#charges.push(this.#target);
    for (const charge of this.#charges) {
      const pays = charge.instance === undefined || charge.instance === instance;
      charge.meter.end(pays ? tokens : 0, nowMs);
    }
    this.#inner?.settle(instance, consumption);
  }
}
