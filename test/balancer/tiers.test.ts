import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chash } from '../../lib/balancer/chash.ts';
import { roundRobin } from '../../lib/balancer/round-robin.ts';
import { makeTiers, type Ranked } from '../../lib/balancer/tiers.ts';

const noneOut = (): boolean => false;

function target(name: string, priority: number, weight: number): Ranked {
  return { name, priority, weight, metrics: { inFlight: 0, averageLatencyMs: undefined, price: undefined } };
}

function outline(targets: readonly Ranked[], order: 'highest-first' | 'lowest-first'): unknown[] {
  return makeTiers(targets, order, roundRobin).map(({ priority, targets: members }) => [
    priority,
    members.map(({ name }) => name).join(' '),
  ]);
}

/** The names a lone tier picks. */
function picks(targets: readonly Ranked[], count: number, makeBalancer = roundRobin): string[] {
  const [tier] = makeTiers(targets, 'highest-first', makeBalancer);
  return Array.from({ length: count }, (_value, index) => {
    return tier?.balancer.pick(`key-${index}`, noneOut)?.name ?? 'none';
  });
}

describe('makeTiers', () => {
  const mixed = [target('a', 0, 1), target('b', 10, 1), target('c', -3, 1), target('d', 10, 1)];

  it('tries higher priorities first', () => {
    expect(outline(mixed, 'highest-first')).toEqual([
      [10, 'b d'],
      [0, 'a'],
      [-3, 'c'],
    ]);
  });

  it('tries lower priorities first when asked to', () => {
    expect(outline(mixed, 'lowest-first')).toEqual([
      [-3, 'c'],
      [0, 'a'],
      [10, 'b d'],
    ]);
  });

  it('makes no tier out of nothing', () => {
    expect(outline([], 'highest-first')).toEqual([]);
  });

  it('shares equally where all weights of a tier are 0', () => {
    expect(picks([target('a', 0, 0), target('b', 0, 0), target('c', 0, 0)], 6)).toEqual(
      'a b c a b c'.split(' '),
    );
  });

  it('shares equally by consistent hashing too where all weights are 0', () => {
    const names = picks([target('a', 0, 0), target('b', 0, 0)], 1000, chash);
    const share = names.filter((name) => name === 'a').length / names.length;
    expect(Math.abs(share - 0.5)).toBeLessThan(0.06);
  });

  it('leaves out a weight of 0 beside others', () => {
    expect(outline([target('a', 0, 0), target('b', 0, 2), target('c', 0, 0)], 'highest-first')).toEqual([
      [0, 'b'],
    ]);
  });

  it.each([
    ['roundrobin', roundRobin],
    ['chash', chash],
  ])('does not fall back to a weight of 0 even when the others are out (%s)', (_name, makeBalancer) => {
    const targets = [target('a', 0, 0), target('b', 0, 2)];
    const [tier] = makeTiers(targets, 'highest-first', makeBalancer);
    expect(tier?.balancer.pick('key', ({ name }) => name === 'b')).toBeUndefined();
  });

  it('judges weights of 0 tier by tier', () => {
    const targets = [target('a', 1, 0), target('b', 0, 5), target('c', 0, 0)];
    expect(outline(targets, 'highest-first')).toEqual([
      [1, 'a'],
      [0, 'b'],
    ]);
  });

  it('hands back the very target, and asks about the very target', () => {
    const only = target('a', 0, 3);
    const asked: unknown[] = [];
    const [tier] = makeTiers([only], 'highest-first', roundRobin);
    const picked = tier?.balancer.pick('', (candidate) => {
      asked.push(candidate);
      return false;
    });
    expect(picked).toBe(only);
    expect(asked).toEqual([only]);
  });

  it('puts every target that can be picked into exactly one tier', () => {
    const entries = fc.array(fc.tuple(fc.integer({ min: -2, max: 2 }), fc.nat({ max: 3 })));
    fc.assert(
      fc.property(entries, (list) => {
        const targets = list.map(([priority, weight], index) => target(`t${index}`, priority, weight));
        const tiers = makeTiers(targets, 'highest-first', roundRobin);
        const priorities = tiers.map(({ priority }) => priority);
        expect(priorities).toEqual([...new Set(list.map(([priority]) => priority))].sort((a, b) => b - a));
        for (const candidate of targets) {
          const peers = targets.filter(({ priority }) => priority === candidate.priority);
          const counts = candidate.weight > 0 || peers.every(({ weight }) => weight === 0);
          const holding = tiers.filter(({ targets: members }) => members.includes(candidate));
          expect(holding.map(({ priority }) => priority)).toEqual(counts ? [candidate.priority] : []);
        }
      }),
    );
  });
});
