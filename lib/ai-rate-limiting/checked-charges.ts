import type { Charge } from './counter-store.ts';

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0;
}

/**
 * The charge, if it can be counted.
 *
 * A fraction would stop the counter half-way (Redis has whole numbers only), a negative amount would give quota back,
 * and a window of no whole second would be one without an end.
 *
 * @throws {RangeError} where an amount or a window is no whole number above 0, or is too large to be exact
 */
export function checkedCharge(charge: Charge): Charge {
  const { amount, windowSeconds } = charge;
  if (!isCount(amount)) throw new RangeError(`A charge of ${amount} cannot be counted`);
  if (!isCount(windowSeconds)) throw new RangeError(`A window of ${windowSeconds} seconds cannot be kept`);
  return charge;
}

/** The charges, if all of them can be counted: else none of them is. @throws {RangeError} */
export function checkedCharges(charges: readonly Charge[]): readonly Charge[] {
  for (const charge of charges) checkedCharge(charge);
  return charges;
}
