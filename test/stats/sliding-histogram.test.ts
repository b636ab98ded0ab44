import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SlidingHistogram } from '../../lib/stats/sliding-histogram.ts';

const MINUTE_MS = 60_000;

describe('percentiles of the last five minutes', () => {
  it('are none before anything was measured', () => {
    expect(new SlidingHistogram().percentiles(0)).toBeUndefined();
  });

  it('are within nine percent of the exact ones', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 1, max: 3_600_000, noNaN: true }), { minLength: 1, maxLength: 500 }),
        (durations) => {
          const histogram = new SlidingHistogram();
          for (const duration of durations) histogram.record(duration, 5);
          const sorted = [...durations].sort((one, other) => one - other);
          const found = histogram.percentiles(5);
          for (const [name, share] of [
            ['p50', 0.5],
            ['p95', 0.95],
            ['p99', 0.99],
          ] as const) {
            const exact = sorted[Math.ceil(sorted.length * share) - 1] ?? 0;
            expect(found?.[name]).toBeGreaterThanOrEqual(Math.floor(exact));
            expect(found?.[name]).toBeLessThanOrEqual(Math.ceil(exact * 1.0906) + 1);
          }
        },
      ),
    );
  });

  it('count what takes longer than an hour as that', () => {
    const histogram = new SlidingHistogram();
    histogram.record(1e12, 0);
    expect(histogram.percentiles(0)).toEqual({ p50: 4_194_304, p95: 4_194_304, p99: 4_194_304 });
  });

  it('forget what is older, minute by minute', () => {
    const histogram = new SlidingHistogram();
    histogram.record(1, 0);
    histogram.record(1000, 2 * MINUTE_MS);
    expect(histogram.percentiles(4 * MINUTE_MS)?.p50).toBe(1);
    expect(histogram.percentiles(5 * MINUTE_MS)?.p50).toBeGreaterThan(900);
    expect(histogram.percentiles(7 * MINUTE_MS)).toBeUndefined();
  });

  it('start afresh after any pause', () => {
    const histogram = new SlidingHistogram();
    histogram.record(1000, 0);
    histogram.record(1, 1000 * MINUTE_MS);
    expect(histogram.percentiles(1000 * MINUTE_MS)).toEqual({ p50: 1, p95: 1, p99: 1 });
  });
});
