import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MakeBalancer, Measured, TargetMetrics } from '../../lib/balancer/balancer.ts';
import { failover } from '../../lib/balancer/failover.ts';
import { balancers } from '../../lib/balancer/index.ts';
import { leastBusy } from '../../lib/balancer/least-busy.ts';
import { leastCost } from '../../lib/balancer/least-cost.ts';
import { leastLatency } from '../../lib/balancer/least-latency.ts';
import { makeTiers } from '../../lib/balancer/tiers.ts';

const noneOut = (): boolean => false;

const unknown: TargetMetrics = { inFlight: 0, averageLatencyMs: undefined, price: undefined };

function target(name: string, metrics: Partial<TargetMetrics>, weight = 1): Measured {
  return { name, weight, metrics: { ...unknown, ...metrics } };
}

/** The names in the order in which they are picked, each being out afterwards. */
function orderOf(makeBalancer: MakeBalancer, targets: readonly Measured[]): string {
  const balancer = makeBalancer(targets);
  const out = new Set<Measured>();
  const names: string[] = [];
  for (;;) {
    const picked = balancer.pick('', (candidate) => out.has(candidate));
    if (picked === undefined) return names.join(' ');
    out.add(picked);
    names.push(picked.name);
  }
}

describe('least_busy', () => {
  it.each([
    [
      'fewest requests first',
      [target('a', { inFlight: 3 }), target('b', { inFlight: 1 }), target('c', {})],
      'c b a',
    ],
    ['declaration order where all are idle', [target('a', {}), target('b', {}), target('c', {})], 'a b c'],
    ['the heavier of two idle ones', [target('a', {}), target('b', {}, 2)], 'b a'],
    ['requests by weight', [target('a', { inFlight: 3 }), target('b', { inFlight: 9 }, 5)], 'b a'],
    [
      'declaration order where the shares are equal',
      [target('a', { inFlight: 5 }, 2), target('b', { inFlight: 2 })],
      'a b',
    ],
  ])('prefers %s', (_title, targets, order) => {
    expect(orderOf(leastBusy, targets)).toBe(order);
  });
});

describe('least_latency', () => {
  it.each([
    [
      'the quickest',
      [target('a', { averageLatencyMs: 300 }), target('b', { averageLatencyMs: 20.5 })],
      'b a',
    ],
    ['one without a sample to all others', [target('a', { averageLatencyMs: 1 }), target('b', {})], 'b a'],
    ['even to one that takes no time', [target('a', { averageLatencyMs: 0 }), target('b', {})], 'b a'],
    ['the first of several without a sample', [target('a', {}), target('b', {})], 'a b'],
    [
      'the first of several that are as quick',
      [
        target('a', { averageLatencyMs: 9 }),
        target('b', { averageLatencyMs: 5 }),
        target('c', { averageLatencyMs: 5 }),
      ],
      'b c a',
    ],
  ])('prefers %s', (_title, targets, order) => {
    expect(orderOf(leastLatency, targets)).toBe(order);
  });
});

describe('least_cost', () => {
  it.each([
    ['the cheapest', [target('a', { price: 0.03 }), target('b', { price: 0.001 })], 'b a'],
    ['a price to none', [target('a', {}), target('b', { price: 100 })], 'b a'],
    ['what costs nothing', [target('a', { price: 0.1 }), target('b', { price: 0 })], 'b a'],
    ['declaration order where no price is known', [target('a', {}), target('b', {})], 'a b'],
    [
      'declaration order where prices are equal',
      [target('a', { price: 2 }), target('b', { price: 2 })],
      'a b',
    ],
  ])('prefers %s', (_title, targets, order) => {
    expect(orderOf(leastCost, targets)).toBe(order);
  });
});

describe('failover', () => {
  it('keeps the declaration order, whatever the weights and numbers', () => {
    const targets = [target('a', { inFlight: 9, price: 9 }), target('b', {}, 50), target('c', { price: 1 })];
    expect(orderOf(failover, targets)).toBe('a b c');
  });
});

describe.each([
  ['least_busy', leastBusy, 'inFlight'],
  ['least_latency', leastLatency, 'averageLatencyMs'],
  ['least_cost', leastCost, 'price'],
] as const)('%s', (word, makeBalancer, field) => {
  it('is a word of the configuration', () => {
    expect(balancers[word]).toBe(makeBalancer);
  });

  it('gives a stable ascending order of all targets', () => {
    const values = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 8 });
    fc.assert(
      fc.property(values, (list) => {
        const targets = list.map((value, index) => target(`t${index}`, { [field]: value }));
        const sorted = [...targets].sort((a, b) => (a.metrics[field] ?? 0) - (b.metrics[field] ?? 0));
        expect(orderOf(makeBalancer, targets)).toBe(sorted.map(({ name }) => name).join(' '));
      }),
    );
  });

  it('looks at the numbers anew for each pick', () => {
    const metrics = { inFlight: 0, averageLatencyMs: 10, price: 1 };
    const balancer = makeBalancer([{ name: 'a', weight: 1, metrics }, target('b', { [field]: 5 })]);
    metrics[field] = 1;
    expect(balancer.pick('', noneOut)?.name).toBe('a');
    metrics[field] = 7;
    expect(balancer.pick('', noneOut)?.name).toBe('b');
  });

  it('picks nothing when every target is out, or where there is none', () => {
    expect(makeBalancer([target('a', {})]).pick('', () => true)).toBeUndefined();
    expect(makeBalancer<Measured>([]).pick('', noneOut)).toBeUndefined();
  });

  it('goes by the numbers of the targets of a tier', () => {
    const ranked = (name: string, value: number) => ({ ...target(name, { [field]: value }), priority: 0 });
    const [tier] = makeTiers([ranked('a', 4), ranked('b', 2)], 'highest-first', makeBalancer);
    expect(tier?.balancer.pick('', noneOut)?.name).toBe('b');
  });
});
