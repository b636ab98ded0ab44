import { describe, expect, it } from 'vitest';
import type { LoadedUsageLimits } from '../../lib/config/loaded-model-router.ts';
import { type Limited, nextMeters, type UsageMeters } from '../../lib/model-router/usage-meters.ts';

const NOW_MS = 1_800_000_000_000;

const NONE: UsageMeters = new Map();

function limited(id: string, limits: LoadedUsageLimits): Limited {
  return { id, limits };
}

function leftOf(meters: UsageMeters, id: string): number | undefined {
  return meters.get(id)?.meter.status(NOW_MS).rpm?.remaining;
}

describe('meters from one configuration to the next', () => {
  it('keep what has been counted where the limits are the same, in whatever order they are written', () => {
    const before = nextMeters(NONE, [limited('a', { rpm: 10, tpm: 5 })]);
    before.get('a')?.meter.begin(NOW_MS);
    const after = nextMeters(before, [limited('a', { tpm: 5, rpm: 10 })]);
    expect(leftOf(after, 'a')).toBe(9);
  });

  it.each<[string, LoadedUsageLimits]>([
    ['changes', { rpm: 11 }],
    ['is added', { rpm: 10, rpd: 100 }],
  ])('begin anew where a limit %s', (_title, limits) => {
    const before = nextMeters(NONE, [limited('a', { rpm: 10 })]);
    before.get('a')?.meter.begin(NOW_MS);
    const after = nextMeters(before, [limited('a', limits)]);
    expect(leftOf(after, 'a')).toBe(limits.rpm);
  });

  it('leave the ones there were to requests under way', () => {
    const before = nextMeters(NONE, [limited('a', { rpm: 10 })]);
    nextMeters(before, [limited('a', { rpm: 20 })]);
    before.get('a')?.meter.begin(NOW_MS);
    expect(leftOf(before, 'a')).toBe(9);
  });

  it('drop what is gone, and do not remember it', () => {
    const first = nextMeters(NONE, [limited('a', { rpm: 10 })]);
    first.get('a')?.meter.begin(NOW_MS);
    const second = nextMeters(first, []);
    expect(second.size).toBe(0);
    expect(leftOf(nextMeters(second, [limited('a', { rpm: 10 })]), 'a')).toBe(10);
  });

  it('are not there for what nothing limits', () => {
    const before = nextMeters(NONE, [limited('a', { rpm: 10 }), limited('b', {})]);
    expect([...before.keys()]).toEqual(['a']);
    expect(nextMeters(before, [limited('a', {})]).size).toBe(0);
  });

  it('do not grow with updates', () => {
    let meters = NONE;
    for (let round = 0; round < 100; round++) {
      meters = nextMeters(meters, [limited(`b-${round}`, { rpm: 1 }), limited('a', { rpm: round })]);
    }
    expect(meters.size).toBe(2);
  });
});
