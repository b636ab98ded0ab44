import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Weighted } from '../../lib/balancer/balancer.ts';
import { chash } from '../../lib/balancer/chash.ts';

const noneOut = (): boolean => false;
const keys = Array.from({ length: 2000 }, (_value, index) => `user-${index}`);

function targetsOf(weights: Readonly<Record<string, number>>): Weighted[] {
  return Object.entries(weights).map(([name, weight]) => ({ name, weight }));
}

/** Which target each key goes to. */
function placesOf(
  targets: readonly Weighted[],
  isOut: (target: Weighted) => boolean = noneOut,
): Map<string, string> {
  const balancer = chash(targets);
  return new Map(keys.map((key) => [key, balancer.pick(key, isOut)?.name ?? 'none']));
}

function shareOf(places: ReadonlyMap<string, string>, name: string): number {
  return [...places.values()].filter((place) => place === name).length / places.size;
}

/** Expects every key to have stayed, but for those of one target, which must all have gone elsewhere. */
function expectOnlyKeysOfToMove(
  name: string,
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): void {
  for (const [key, place] of before) {
    if (place === name) expect(after.get(key)).not.toBe(name);
    else expect(after.get(key)).toBe(place);
  }
}

describe('chash', () => {
  it('sends the same key to the same target, again and again and from a ring built anew', () => {
    const targets = targetsOf({ a: 2, b: 1, c: 1 });
    const balancer = chash(targets);
    const first = keys.map((key) => balancer.pick(key, noneOut));
    expect(keys.map((key) => balancer.pick(key, noneOut))).toEqual(first);
    expect(placesOf(targets)).toEqual(new Map(keys.map((key, index) => [key, first[index]?.name])));
  });

  it('does not care in which order the targets are configured', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(['a', 'b', 'c', 'd'], { minLength: 4 }), (order) => {
        const weights: Record<string, number> = { a: 1, b: 2, c: 3, d: 1 };
        const shuffled = order.map((name) => ({ name, weight: weights[name] ?? 1 }));
        expect(placesOf(shuffled)).toEqual(placesOf(targetsOf(weights)));
      }),
      { numRuns: 8 },
    );
  });

  it.each(['a', 'b', 'c', 'd'])('moves only the keys of %s when it is removed', (removed) => {
    const targets = targetsOf({ a: 1, b: 1, c: 1, d: 1 });
    const remaining = targets.filter(({ name }) => name !== removed);
    expectOnlyKeysOfToMove(removed, placesOf(targets), placesOf(remaining));
  });

  it('moves only the keys of a target that is out, spread over the others, and gives them back', () => {
    const targets = targetsOf({ a: 1, b: 1, c: 2, d: 3 });
    const before = placesOf(targets);
    const during = placesOf(targets, ({ name }) => name === 'c');
    expectOnlyKeysOfToMove('c', before, during);
    const heirs = new Set(keys.filter((key) => before.get(key) === 'c').map((key) => during.get(key)));
    expect(heirs).toEqual(new Set(['a', 'b', 'd']));
    expect(placesOf(targets)).toEqual(before);
  });

  it('treats a target that is out like one that is not there', () => {
    const targets = targetsOf({ a: 1, b: 1, c: 1 });
    const without = targets.filter(({ name }) => name !== 'b');
    expect(placesOf(targets, ({ name }) => name === 'b')).toEqual(placesOf(without));
  });

  it.each([
    [{ a: 1, b: 1 }],
    [{ a: 8, b: 2 }],
    [{ a: 1, b: 2, c: 3, d: 4 }],
    [{ a: 1, b: 1, c: 1, d: 1, e: 1 }],
    [{ a: 97, b: 3 }],
  ])('shares the keys by weight, within a few percent: %o', (weights) => {
    const targets = targetsOf(weights);
    const sum = targets.reduce((total, { weight }) => total + weight, 0);
    const places = placesOf(targets);
    for (const { name, weight } of targets) {
      expect(Math.abs(shareOf(places, name) - weight / sum)).toBeLessThan(0.04);
    }
  });

  it('goes by the ratio of the weights alone', () => {
    expect(placesOf(targetsOf({ a: 300, b: 100 }))).toEqual(placesOf(targetsOf({ a: 3, b: 1 })));
  });

  it('keeps the ring small where the weights are huge and have no common divisor', () => {
    const places = placesOf(targetsOf({ a: 1_000_000_007, b: 2_000_000_011, c: 999_999_937 }));
    expect(Math.abs(shareOf(places, 'a') - 0.25)).toBeLessThan(0.04);
    expect(Math.abs(shareOf(places, 'b') - 0.5)).toBeLessThan(0.04);
    expect(Math.abs(shareOf(places, 'c') - 0.25)).toBeLessThan(0.04);
  });

  it('leaves a target of tiny weight beside a huge one on the ring', () => {
    const balancer = chash(targetsOf({ huge: 1_000_000_007, tiny: 1 }));
    expect(balancer.pick('key', ({ name }) => name === 'huge')?.name).toBe('tiny');
  });

  it('picks something for any key at all', () => {
    const balancer = chash(targetsOf({ a: 1, b: 1 }));
    fc.assert(
      fc.property(fc.string(), (key) => {
        expect(['a', 'b']).toContain(balancer.pick(key, noneOut)?.name);
      }),
      { numRuns: 50 },
    );
  });

  it('picks nothing when every target is out, or where there is none', () => {
    expect(chash(targetsOf({ a: 1, b: 1 })).pick('key', () => true)).toBeUndefined();
    expect(chash<Weighted>([]).pick('key', noneOut)).toBeUndefined();
  });
});
