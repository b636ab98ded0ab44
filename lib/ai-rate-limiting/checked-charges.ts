import type { Charge } from './counter-store.ts';

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0;
}

/**
 * The charges, if all of them can be counted.
 *
 * A fraction would stop the counter half-way (Redis has whole numbers only), a negative amount would give quota back,
 * and a window of no whole second would be one without an end.
 *
 * @throws {RangeError} where an amount or a window is no whole number above 0, or is too large to be exact
 */
export function checkedCharges(charges: readonly Charge[]): readonly Charge[] {
  for (const { amount, windowSeconds } of charges) {
    if (!isCount(amount)) throw new RangeError(`A charge of ${amount} cannot be counted`);
    if (!isCount(windowSeconds)) throw new RangeError(`A window of ${windowSeconds} seconds cannot be kept`);
  }
  return charges;
}
