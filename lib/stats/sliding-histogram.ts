import type { Percentiles } from '../status.ts';

/** Buckets per doubling: a percentile is off by 9 % at most, which is 2 ^ (1 / 8). */
const PER_DOUBLING = 8;

/** From 1 ms to 2 ^ 22 ms, which is more than an hour. What is longer counts as that. */
const BUCKETS = 22 * PER_DOUBLING + 1;

const SLICE_MS = 60_000;

/** Those that count, the one that is not over included. */
const SLICES = 5;

function bucketOf(ms: number): number {
  if (ms <= 1) return 0;
  return Math.min(BUCKETS - 1, Math.ceil(Math.log2(ms) * PER_DOUBLING));
}

/** The upper bound of a bucket, in whole milliseconds. */
function boundOf(bucket: number): number {
  return Math.round(2 ** (bucket / PER_DOUBLING));
}

function rank(counts: Uint32Array, wanted: number): number {
  let seen = 0;
  for (const [bucket, count] of counts.entries()) {
    seen += count;
    if (seen >= wanted) return boundOf(bucket);
  }
  return boundOf(BUCKETS - 1);
}

function makeSlices(): readonly Uint32Array[] {
  return Array.from({ length: SLICES }, () => new Uint32Array(BUCKETS));
}

/** Durations of the last five minutes, in the same few kilobytes however many there are; in none as long as there is none. */
export class SlidingHistogram {
  #slices: readonly Uint32Array[] = [];
  /** The slice that is not over, counted from the clock's start. */
  #current = 0;

  /** @param nowMs on a clock that never goes back */
  record(ms: number, nowMs: number): void {
    if (this.#slices.length === 0) this.#slices = makeSlices();
    this.#moveTo(Math.floor(nowMs / SLICE_MS));
    const slice = this.#slices[this.#current % SLICES];
    const bucket = bucketOf(ms);
    if (slice !== undefined) slice[bucket] = (slice[bucket] ?? 0) + 1;
  }

  /** `undefined` where nothing was recorded. */
  percentiles(nowMs: number): Percentiles | undefined {
    if (this.#slices.length === 0) return undefined;
    this.#moveTo(Math.floor(nowMs / SLICE_MS));
    const counts = new Uint32Array(BUCKETS);
    let total = 0;
    for (const slice of this.#slices) {
      for (const [bucket, count] of slice.entries()) {
        counts[bucket] = (counts[bucket] ?? 0) + count;
        total += count;
      }
    }
    if (total === 0) return undefined;
    return {
      p50: rank(counts, total * 0.5),
      p95: rank(counts, total * 0.95),
      p99: rank(counts, total * 0.99),
    };
  }

  /** Empties the slices that have grown too old. */
  #moveTo(slice: number): void {
    const passed = Math.min(slice - this.#current, SLICES);
    for (let step = 1; step <= passed; step++) this.#slices[(slice - passed + step) % SLICES]?.fill(0);
    if (slice > this.#current) this.#current = slice;
  }
}
