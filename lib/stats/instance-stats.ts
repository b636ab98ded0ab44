import type { Usage } from '../protocols/protocol.ts';
import type { QuotaLeft } from '../quota.ts';
import type { LastError } from '../status.ts';
import { Minutes } from './minutes.ts';
import { MovingAverage } from './moving-average.ts';
import { SlidingHistogram } from './sliding-histogram.ts';

/** What went wrong with a try last, and when. */
interface NotedError {
  readonly atMs: number;
  readonly status?: number;
  readonly error?: string;
}

/** Each request works out the window's end for itself, from the milliseconds that are left of it. */
const SAME_WINDOW_MS = 1000;

function isSameWindow(one: QuotaLeft, other: QuotaLeft): boolean {
  if (one.limit !== other.limit) return false;
  // The request that begins a window has seen none.
  if (one.resetsAtMs === undefined || other.resetsAtMs === undefined) return true;
  return Math.abs(one.resetsAtMs - other.resetsAtMs) < SAME_WINDOW_MS;
}

/** Counts and times of one instance since its plan was made. Adding to them is all that a request pays. */
export class InstanceStats {
  inFlight = 0;
  attempts = 0;
  /** Answers by the class of their status. */
  readonly answers = { '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0 };
  readonly failures = { refused: 0, reset: 0, timedOut: 0, other: 0 };
  /** Requests that left it for the next instance, and that came to it from one. */
  readonly fallbacks = { out: 0, in: 0 };
  readonly tokens = { prompt: 0, completion: 0, total: 0 };
  #quota: QuotaLeft | undefined;
  readonly latency = new SlidingHistogram();
  readonly timeToFirstToken = new SlidingHistogram();
  readonly minutes = new Minutes(performance.now());
  readonly #averageLatency = new MovingAverage();
  #lastError: NotedError | undefined;

  /** A try begins. */
  countAttempt(nowMs: number): void {
    this.attempts++;
    this.minutes.at(nowMs).attempts++;
  }

  countAnswer(status: number): void {
    if (status < 300) this.answers['2xx']++;
    else if (status < 400) this.answers['3xx']++;
    else if (status < 500) this.answers['4xx']++;
    else this.answers['5xx']++;
  }

  countFailure(kind: string): void {
    if (kind === 'refused') this.failures.refused++;
    else if (kind === 'reset') this.failures.reset++;
    else if (kind === 'timed-out') this.failures.timedOut++;
    else this.failures.other++;
  }

  /**
   * How quick a good answer was: the whole of a plain one, a stream up to its first token, since how long a stream
   * goes on is the client's wish. An error does not count: those who refuse are quick.
   */
  noteSpeed(ms: number): void {
    this.#averageLatency.add(ms);
  }

  get averageLatencyMs(): number | undefined {
    return this.#averageLatency.value;
  }

  /** An answer is complete. */
  countLatency(ms: number, nowMs: number): void {
    this.latency.record(ms, nowMs);
    const minute = this.minutes.at(nowMs);
    minute.latencySumMs += ms;
    minute.latencyCount++;
  }

  countTokens({ promptTokens, completionTokens, totalTokens }: Usage): void {
    this.tokens.prompt += promptTokens;
    this.tokens.completion += completionTokens;
    this.tokens.total += totalTokens;
    this.minutes.at(performance.now()).tokens += totalTokens;
  }

  /** What a request has left of the quota. Requests end in another order than that in which they have looked. */
  noteQuota(left: QuotaLeft | undefined): void {
    const known = this.quota;
    const isOlder = left !== undefined && known !== undefined && isSameWindow(left, known);
    this.#quota = isOlder && known.remaining < left.remaining ? known : left;
  }

  /** What is left now; all of it once the window is over. */
  get quota(): QuotaLeft | undefined {
    const known = this.#quota;
    if (known?.resetsAtMs === undefined || known.resetsAtMs > Date.now()) return known;
    return { limit: known.limit, remaining: known.limit, resetsAtMs: undefined };
  }

  /** A try has failed, or was answered with an error. */
  noteError(what: { readonly status?: number; readonly error?: string }): void {
    this.#lastError = { ...what, atMs: Date.now() };
    this.minutes.at(performance.now()).errors++;
  }

  get lastError(): LastError | undefined {
    if (this.#lastError === undefined) return undefined;
    const { atMs, ...what } = this.#lastError;
    return { at: new Date(atMs).toISOString(), ...what };
  }
}
