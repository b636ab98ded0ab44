import { createHash } from 'node:crypto';
import type { Balancer, Weighted } from './balancer.ts';

const POINTS_PER_WEIGHT_UNIT = 160;

/** In APISIX's plugin, weights may be anything. */
const MAX_WEIGHT_UNITS = 1000;

/** A digest that OpenSSL also offers in FIPS mode, where MD5, which ketama took, is refused. */
function digest(text: string): Buffer {
  return createHash('sha1').update(text).digest();
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** Weights without a common divisor could ask for millions of points; beyond `most` they are scaled down. */
function weightUnits(targets: readonly Weighted[], most: number): number[] {
  const divisor = targets.reduce((gcd, target) => greatestCommonDivisor(gcd, target.weight), 0);
  const units = targets.map((target) => target.weight / divisor);
  const total = units.reduce((sum, unit) => sum + unit, 0);
  if (total <= most) return units;
  return units.map((unit) => Math.max(1, Math.round((unit * most) / total)));
}

interface Point<Target> {
  readonly at: number;
  readonly target: Target;
}

/** Four points from each digest; a target's points depend on its name alone, so the others never move. */
function pointsOf<Target extends Weighted>(target: Target, units: number): Point<Target>[] {
  const points: Point<Target>[] = [];
  for (let index = 0; points.length < units * POINTS_PER_WEIGHT_UNIT; index++) {
    const bytes = digest(`${target.name}-${index}`);
    for (let offset = 0; offset < 16; offset += 4) points.push({ at: bytes.readUInt32LE(offset), target });
  }
  return points;
}

function makeRing<Target extends Weighted>(
  targets: readonly Target[],
  maxWeightUnits: number,
): Balancer<Target> {
  const units = weightUnits(targets, maxWeightUnits);
  const ring = targets
    .flatMap((target, index) => pointsOf(target, units[index] ?? 1))
    // Equal points are ordered by name, so that the order of the configuration changes nothing.
    .sort((a, b) => a.at - b.at || (a.target.name < b.target.name ? -1 : 1));

  function firstPointFrom(at: number): number {
    let low = 0;
    let high = ring.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((ring[middle]?.at ?? 0) < at) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  return {
    pick(key, isOut) {
      const start = firstPointFrom(digest(key).readUInt32LE(0));
      for (let step = 0; step < ring.length; step++) {
        const target = ring[(start + step) % ring.length]?.target;
        if (target !== undefined && !isOut(target)) return target;
      }
      return undefined;
    },
  };
}

/**
 * Consistent hashing on a ketama ring, 160 points per unit of weight: the same key goes to the same target; one
 * that is out loses only its own keys, to its neighbours on the ring, and gets them back.
 *
 * @param maxWeightUnits what all weights, divided by what they have in common, may come to
 */
export function consistentHash(maxWeightUnits: number) {
  return <Target extends Weighted>(targets: readonly Target[]): Balancer<Target> =>
    makeRing(targets, maxWeightUnits);
}

export const chash = consistentHash(MAX_WEIGHT_UNITS);
