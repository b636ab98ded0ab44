export interface Operator {
  /** The higher one binds first. */
  readonly precedence: number;
  /** What an operator to the right must exceed to take this one's right operand for its own. */
  readonly rightPrecedence: number;
  readonly apply: (left: number, right: number) => number;
}

export interface CostFunction {
  /** The most arguments it takes; it needs one at least. */
  readonly most: number;
  readonly apply: (...values: number[]) => number;
}

/** Unary minus stands between `*` and `^`: `-2^2` is -4, `-2 % 3` is 1. */
export const MINUS_PRECEDENCE = 3;

/**
 * As Lua 5.1 and LuaJIT compute it, so that fractions come out as they do in APISIX: `7 % 0.2` is 0, where Lua 5.4
 * and JavaScript arrive at nearly 0.2. The sign is the divisor's.
 */
function modulo(dividend: number, divisor: number): number {
  return dividend - Math.floor(dividend / divisor) * divisor;
}

/** Lua's operators (Lua 5.4 manual, §3.4.1 and §3.4.8). LuaJIT, which APISIX runs on, lacks only the `//`. */
export const OPERATORS: ReadonlyMap<string, Operator> = new Map([
  ['+', { precedence: 1, rightPrecedence: 1, apply: (left, right) => left + right }],
  ['-', { precedence: 1, rightPrecedence: 1, apply: (left, right) => left - right }],
  ['*', { precedence: 2, rightPrecedence: 2, apply: (left, right) => left * right }],
  ['/', { precedence: 2, rightPrecedence: 2, apply: (left, right) => left / right }],
  ['//', { precedence: 2, rightPrecedence: 2, apply: (left, right) => Math.floor(left / right) }],
  ['%', { precedence: 2, rightPrecedence: 2, apply: modulo }],
  // From the right: 2^3^2 is 2^9.
  ['^', { precedence: 5, rightPrecedence: 4, apply: (left, right) => left ** right }],
]);

/**
 * By name; each is spelt `math.abs` and so on as well. One NaN makes `max` and `min` NaN: in Lua that depends on its
 * place among the arguments, and on the build.
 */
export const FUNCTIONS: ReadonlyMap<string, CostFunction> = new Map([
  ['abs', { most: 1, apply: Math.abs }],
  ['ceil', { most: 1, apply: Math.ceil }],
  ['floor', { most: 1, apply: Math.floor }],
  ['max', { most: Number.POSITIVE_INFINITY, apply: Math.max }],
  ['min', { most: Number.POSITIVE_INFINITY, apply: Math.min }],
]);
