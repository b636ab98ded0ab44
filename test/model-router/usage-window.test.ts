import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UsageWindow } from '../../lib/model-router/usage-window.ts';

const LENGTH_MS = 1000;

describe('UsageWindow', () => {
  it('begins with what is counted first, not with a look', () => {
    const window = new UsageWindow(1, LENGTH_MS);
    expect(window.waitMs(0)).toBe(0);
    window.add(1, 700);
    expect(window.waitMs(700)).toBe(1000);
    expect(window.waitMs(1699)).toBe(1);
    expect(window.waitMs(1700)).toBe(0);
  });

  it('begins anew with the first count after its end', () => {
    const window = new UsageWindow(1, LENGTH_MS);
    window.add(1, 0);
    window.add(1, 1500);
    expect(window.waitMs(1500)).toBe(1000);
    expect(window.waitMs(2499)).toBe(1);
  });

  it('ends in time however far a count went over the limit', () => {
    const window = new UsageWindow(10, LENGTH_MS);
    window.add(5000, 0);
    expect(window.left(0)).toEqual({ limit: 10, remaining: 0, resetsAtMs: 1000 });
    expect(window.waitMs(1000)).toBe(0);
    expect(window.left(1000)).toEqual({ limit: 10, remaining: 10, resetsAtMs: undefined });
  });

  it('has nothing left of a limit of 0, ever', () => {
    const window = new UsageWindow(0, LENGTH_MS);
    expect(window.waitMs(0)).toBe(LENGTH_MS);
    window.add(1, 0);
    expect(window.waitMs(400)).toBe(600);
    expect(window.waitMs(5000)).toBe(LENGTH_MS);
  });

  it('makes nobody wait longer than its length once the clock has been put back', () => {
    const window = new UsageWindow(1, LENGTH_MS);
    window.add(1, 1_000_000);
    expect(window.waitMs(5000)).toBe(LENGTH_MS);
    expect(window.waitMs(5999)).toBe(1);
    expect(window.waitMs(6000)).toBe(0);
  });

  it('forgets nothing when a time comes that is a little earlier than the last', () => {
    const window = new UsageWindow(2, LENGTH_MS);
    window.add(1, 100);
    window.add(1, 90);
    expect(window.waitMs(100)).toBeGreaterThan(0);
  });

  it('has something left again within its length, however the clock goes', () => {
    const steps = fc.array(fc.integer({ min: -3000, max: 3000 }), { maxLength: 50 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), steps, (limit, deltas) => {
        const window = new UsageWindow(limit, LENGTH_MS);
        let nowMs = 0;
        for (const deltaMs of deltas) {
          nowMs += deltaMs;
          const waitMs = window.waitMs(nowMs);
          expect(waitMs).toBeGreaterThanOrEqual(0);
          expect(waitMs).toBeLessThanOrEqual(LENGTH_MS);
          if (waitMs === 0) window.add(1, nowMs);
          else expect(window.left(nowMs).remaining).toBe(0);
        }
        expect(window.waitMs(nowMs + LENGTH_MS)).toBe(0);
      }),
    );
  });
});
