import type { LoadedCooldown } from '../config/loaded-model-router.ts';
import { type CooldownReason, reasonOfAnswer, reasonOfFailure } from './cooldown-reason.ts';
import type { Outcome } from './outcome.ts';
import { retryAfterMs } from './retry-after.ts';

interface Bench {
  readonly untilMs: number;
  readonly lengthMs: number;
  readonly reason: CooldownReason;
}

/**
 * Benches a target that has failed for a while, so that requests that have others go to those. Times are
 * milliseconds since the epoch: what an upstream asks for may be a date.
 */
export class Cooldown {
  readonly #rules: LoadedCooldown;
  readonly #statuses: ReadonlySet<number>;
  #bench: Bench | undefined;

  constructor(rules: LoadedCooldown) {
    this.#rules = rules;
    this.#statuses = new Set(rules.triggerStatuses);
  }

  isCooling(nowMs: number): boolean {
    if (this.#bench === undefined) return false;
    const leftMs = this.#bench.untilMs - nowMs;
    // More is left than there ever was where the clock has been set back.
    return leftMs > 0 && leftMs <= this.#bench.lengthMs;
  }

  /** When the last cooldown ends, or has ended by itself; `undefined` where there was none, or a success ended it. */
  get untilMs(): number | undefined {
    return this.#bench?.untilMs;
  }

  /** Why it cools, as long as there is `untilMs`. */
  get reason(): CooldownReason | undefined {
    return this.#bench?.reason;
  }

  /**
   * Takes in what came of a try. A success ends a cooldown, a redirect says nothing of it; a shorter one that follows
   * does not shorten it.
   */
  note(outcome: Outcome, nowMs: number): void {
    if (outcome.kind === 'answered' && outcome.status < 400) {
      if (outcome.status < 300) this.#bench = undefined;
      return;
    }
    const reason = this.#reasonOf(outcome);
    if (reason === undefined) return;
    const lengthMs = this.#lengthMs(outcome, nowMs);
    const untilMs = nowMs + lengthMs;
    if (this.isCooling(nowMs) && untilMs < (this.#bench?.untilMs ?? 0)) return;
    this.#bench = { untilMs, lengthMs, reason };
  }

  /** `undefined` for what benches nobody. */
  #reasonOf(outcome: Outcome): CooldownReason | undefined {
    if (outcome.kind !== 'answered') return reasonOfFailure(outcome.kind, this.#rules);
    return this.#statuses.has(outcome.status) ? reasonOfAnswer(outcome) : undefined;
  }

  #lengthMs(outcome: Outcome, nowMs: number): number {
    const { honorRetryAfter, defaultMs, maxMs } = this.#rules;
    if (!honorRetryAfter || outcome.kind !== 'answered') return defaultMs;
    const askedMs = retryAfterMs(outcome.head.headers, nowMs);
    return askedMs === undefined ? defaultMs : Math.min(askedMs, maxMs);
  }
}
