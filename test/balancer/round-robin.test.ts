import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Weighted } from '../../lib/balancer/balancer.ts';
import { roundRobin } from '../../lib/balancer/round-robin.ts';

const noneOut = (): boolean => false;

function targetsOf(weights: readonly number[]): Weighted[] {
  return weights.map((weight, index) => ({ name: `t${index}`, weight }));
}

function total(targets: readonly Weighted[]): number {
  return targets.reduce((sum, target) => sum + target.weight, 0);
}

/** The names of the next picks. */
function picks(
  balancer: ReturnType<typeof roundRobin>,
  count: number,
  isOut: (target: Weighted) => boolean = noneOut,
): string[] {
  return Array.from({ length: count }, () => balancer.pick('', isOut)?.name ?? 'none');
}

function countOf(names: readonly string[], name: string): number {
  return names.filter((candidate) => candidate === name).length;
}

const weightLists = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 6 });

describe('roundRobin', () => {
  it.each([
    ['8:2', [8, 2], 't0 t0 t1 t0 t0 t0 t0 t1 t0 t0'],
    ["5:1:1, nginx's own example", [5, 1, 1], 't0 t0 t1 t0 t2 t0 t0'],
    ['3:1', [3, 1], 't0 t0 t1 t0'],
    ['three equal ones', [1, 1, 1], 't0 t1 t2'],
    ['a single one', [7], 't0 t0'],
  ])('spreads out %s', (_title, weights, expected) => {
    const sequence = expected.split(' ');
    const balancer = roundRobin(targetsOf(weights));
    expect(picks(balancer, sequence.length)).toEqual(sequence);
  });

  it('gives each target exactly its weight in every round of as many picks as the weights add up to', () => {
    fc.assert(
      fc.property(weightLists, (weights) => {
        const targets = targetsOf(weights);
        const balancer = roundRobin(targets);
        for (let round = 0; round < 3; round++) {
          const names = picks(balancer, total(targets));
          for (const { name, weight } of targets) expect(countOf(names, name)).toBe(weight);
        }
      }),
    );
  });

  it('never lets a target run ahead of its share by a whole pick', () => {
    fc.assert(
      fc.property(weightLists, (weights) => {
        const targets = targetsOf(weights);
        const sum = total(targets);
        const names = picks(roundRobin(targets), sum);
        for (const { name, weight } of targets) {
          names.forEach((_name, index) => {
            const got = countOf(names.slice(0, index + 1), name);
            expect(got - ((index + 1) * weight) / sum).toBeLessThan(1);
          });
        }
      }),
    );
  });

  it('shares exactly among the others while some are out, and never picks one that is out', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 20 }), fc.boolean())), (entries) => {
        const targets = targetsOf(entries.map(([weight]) => weight));
        const out = new Set(targets.filter((_target, index) => entries[index]?.[1]));
        const present = targets.filter((target) => !out.has(target));
        const names = picks(roundRobin(targets), total(present), (target) => out.has(target));
        for (const { name, weight } of present) expect(countOf(names, name)).toBe(weight);
        for (const { name } of out) expect(countOf(names, name)).toBe(0);
      }),
    );
  });

  it('returns to the weights after outs come back, and makes up for nothing by a flood', () => {
    const outages = fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 1, max: 30 })), {
      maxLength: 6,
    });
    fc.assert(
      fc.property(weightLists, outages, (weights, phases) => {
        const targets = targetsOf(weights);
        const balancer = roundRobin(targets);
        for (const [index, length] of phases) picks(balancer, length, (target) => target === targets[index]);
        const rounds = 10;
        const names = picks(balancer, rounds * total(targets));
        for (const { name, weight } of targets) {
          const difference = Math.abs(countOf(names, name) - rounds * weight);
          expect(difference).toBeLessThanOrEqual(targets.length);
        }
      }),
    );
  });

  it('picks nothing when every target is out, and goes on where it was', () => {
    const balancer = roundRobin(targetsOf([1, 1]));
    expect(picks(balancer, 1)).toEqual(['t0']);
    expect(balancer.pick('', () => true)).toBeUndefined();
    expect(picks(balancer, 1)).toEqual(['t1']);
  });

  it('picks nothing where there is no target', () => {
    expect(roundRobin<Weighted>([]).pick('', noneOut)).toBeUndefined();
  });

  it('keeps the shares of weights in the millions', () => {
    const names = picks(roundRobin(targetsOf([3_000_000, 1_000_000])), 400);
    expect(countOf(names, 't0')).toBe(300);
  });
});
