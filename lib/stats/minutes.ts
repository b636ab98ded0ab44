import type { MinuteStatus } from '../status.ts';

const MINUTE_MS = 60_000;

/** How far back a status page can look. */
const MINUTES = 15;

/** What one minute has come to so far. */
export interface Minute {
  attempts: number;
  errors: number;
  tokens: number;
  latencySumMs: number;
  latencyCount: number;
}

function clear(minute: Minute): void {
  minute.attempts = 0;
  minute.errors = 0;
  minute.tokens = 0;
  minute.latencySumMs = 0;
  minute.latencyCount = 0;
}

function statusOf({ attempts, errors, tokens, latencySumMs, latencyCount }: Minute): MinuteStatus {
  const latency = latencyCount === 0 ? {} : { latency_ms: Math.round(latencySumMs / latencyCount) };
  return { attempts, errors, tokens, ...latency };
}

function emptyMinute(): Minute {
  return { attempts: 0, errors: 0, tokens: 0, latencySumMs: 0, latencyCount: 0 };
}

/** The last fifteen minutes, one record each, which are used over and over. */
export class Minutes {
  readonly #ring = Array.from({ length: MINUTES }, emptyMinute);
  readonly #first: number;
  #current: number;

  /** @param nowMs on a clock that never goes back */
  constructor(nowMs: number) {
    this.#first = Math.floor(nowMs / MINUTE_MS);
    this.#current = this.#first;
  }

  /** The minute that is not over, to be added to. */
  at(nowMs: number): Minute {
    const minute = Math.floor(nowMs / MINUTE_MS);
    const passed = Math.min(minute - this.#current, MINUTES);
    for (let step = 0; step < passed; step++) clear(this.#slot(minute - step));
    if (minute > this.#current) this.#current = minute;
    return this.#slot(this.#current);
  }

  /** Oldest first, beginning with the minute this began in. */
  status(nowMs: number): readonly MinuteStatus[] {
    this.at(nowMs);
    const length = Math.min(MINUTES, this.#current - this.#first + 1);
    return Array.from({ length }, (_, index) => statusOf(this.#slot(this.#current - length + 1 + index)));
  }

  #slot(minute: number): Minute {
    return this.#ring[minute % MINUTES] ?? emptyMinute();
  }
}
