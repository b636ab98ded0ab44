import type { QuotaLeft } from '../quota.ts';

/** Counts in a window of fixed length that begins with what is counted first. All times are milliseconds. */
export class UsageWindow {
  readonly #limit: number;
  readonly #lengthMs: number;
  #used = 0;
  /** Not in the future: there is no window. */
  #endsAtMs = Number.NEGATIVE_INFINITY;

  constructor(limit: number, lengthMs: number) {
    this.#limit = limit;
    this.#lengthMs = lengthMs;
  }

  /** 0 where something is left, else how long until something is. */
  waitMs(nowMs: number): number {
    this.#catchUp(nowMs);
    if (this.#used < this.#limit) return 0;
    // A limit of 0 is spent without a window, and never has anything left.
    return this.#endsAtMs > nowMs ? this.#endsAtMs - nowMs : this.#lengthMs;
  }

  /** May go over the limit. */
  add(amount: number, nowMs: number): void {
    this.#catchUp(nowMs);
    if (this.#endsAtMs <= nowMs) this.#endsAtMs = nowMs + this.#lengthMs;
    this.#used += amount;
  }

  left(nowMs: number): QuotaLeft {
    this.#catchUp(nowMs);
    return {
      limit: this.#limit,
      remaining: Math.max(0, this.#limit - this.#used),
      resetsAtMs: this.#endsAtMs > nowMs ? this.#endsAtMs : undefined,
    };
  }

  #catchUp(nowMs: number): void {
    // A clock that was put back must lock nobody out for as far as it went, nor forget what has been used.
    this.#endsAtMs = Math.min(this.#endsAtMs, nowMs + this.#lengthMs);
    if (this.#endsAtMs <= nowMs) this.#used = 0;
  }
}
