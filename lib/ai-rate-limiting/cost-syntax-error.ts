/**
 * Thrown for a `cost_expr` that is none. The message says what was found, at which character (counted from 1), and
 * what is allowed: `found ";" at character 2; allowed: an operator (+ - * / // % ^) or the end`.
 */
export class CostSyntaxError extends Error {
  constructor(found: string, offset: number, allowed: string) {
    super(`found ${found} at character ${offset + 1}; allowed: ${allowed}`);
    this.name = 'CostSyntaxError';
  }
}
