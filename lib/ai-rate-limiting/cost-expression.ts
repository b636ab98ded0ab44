import type { CostExpression } from '../config/loaded-rate-limiting.ts';
import { parseArithmetic } from './cost-parser.ts';
import { CostSyntaxError } from './cost-syntax-error.ts';

export { CostSyntaxError };

/** In UTF-16 units. Together with the bound on nesting it bounds how deep a sum can lie in its own left operand. */
const MAX_LENGTH = 1000;

/** A counter holds whole numbers only, and an answer may not give tokens back. */
export function wholeCost(value: number): number {
  if (!Number.isFinite(value) || value <= 0) return 0;
  return Math.min(Math.round(value), Number.MAX_SAFE_INTEGER);
}

/**
 * Compiles `cost_expr`, APISIX's Lua arithmetic over the fields of a usage object: numbers; names, with dots for
 * what lies deeper (`prompt_tokens_details.cached_tokens`); `+ - * / // % ^`, the minus sign and parentheses, as
 * Lua ranks them; `abs`, `ceil`, `floor`, `max` and `min`, also as `math.abs` and so on. It is parsed here, once, and
 * never run as code of any kind.
 *
 * A field that is missing or no number counts as 0. The cost is rounded to the nearest whole number, halves
 * upwards, and is at most `Number.MAX_SAFE_INTEGER`; where it would be negative, infinite or NaN, it is 0.
 *
 * @throws {CostSyntaxError} for any other text, one of more than 1,000 characters, and one nested deeper than 200
 */
export function parseCostExpression(text: string): CostExpression {
  if (text.length > MAX_LENGTH) {
    throw new CostSyntaxError('more text', MAX_LENGTH, `at most ${MAX_LENGTH} characters`);
  }
  const compute = parseArithmetic(text);
  return (usage) => wholeCost(compute(usage));
}
