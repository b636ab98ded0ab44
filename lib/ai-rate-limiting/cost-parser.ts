import { quoteName } from '../config/json-path.ts';
import type { CostExpression } from '../config/loaded-rate-limiting.ts';
import { isObject } from '../protocols/json.ts';
import {
  type CostFunction,
  FUNCTIONS,
  MINUS_PRECEDENCE,
  OPERATORS,
  type Operator,
} from './cost-arithmetic.ts';
import { CostSyntaxError } from './cost-syntax-error.ts';
import { describeToken, readTokens, type Token, type TokenReader } from './cost-tokens.ts';

/**
 * How deep parentheses, minus signs and right operands may lie in each other: as deep as Lua 5.1 itself lets them.
 * Parsing and computing recurse as deep, so that this is what keeps a text from overflowing the stack.
 */
const MAX_DEPTH = 200;

const OPERATOR = `an operator (${[...OPERATORS.keys()].join(' ')})`;
const OPERAND = 'a number, a name, a function, "-" or "("';
const FUNCTION_NAMES = `the functions ${[...FUNCTIONS.keys()].join(', ')}, also as math.abs and so on`;

function unexpected(token: Token, allowed: string): CostSyntaxError {
  return new CostSyntaxError(describeToken(token), token.offset, allowed);
}

function expectSymbol(reader: TokenReader, symbol: string, allowed: string): void {
  if (!reader.skip(symbol)) throw unexpected(reader.peek(), allowed);
}

function operatorAbove(precedence: number, token: Token): Operator | undefined {
  const operator = token.kind === 'symbol' ? OPERATORS.get(token.text) : undefined;
  return operator !== undefined && operator.precedence > precedence ? operator : undefined;
}

function binary(apply: Operator['apply'], left: CostExpression, right: CostExpression): CostExpression {
  return (usage) => apply(left(usage), right(usage));
}

/** Operands and operators, as far as the operators bind more tightly than `precedence`. */
function parseOperation(reader: TokenReader, precedence: number, depth: number): CostExpression {
  if (depth > MAX_DEPTH) {
    throw new CostSyntaxError('deeper nesting', reader.peek().offset, `at most ${MAX_DEPTH} levels`);
  }
  let left = parseOperand(reader, depth);
  let operator = operatorAbove(precedence, reader.peek());
  while (operator !== undefined) {
    reader.take();
    left = binary(operator.apply, left, parseOperation(reader, operator.rightPrecedence, depth + 1));
    operator = operatorAbove(precedence, reader.peek());
  }
  return left;
}

function parseOperand(reader: TokenReader, depth: number): CostExpression {
  if (reader.skip('-')) {
    const operand = parseOperation(reader, MINUS_PRECEDENCE, depth + 1);
    return (usage) => -operand(usage);
  }
  if (reader.skip('(')) {
    const inner = parseOperation(reader, 0, depth + 1);
    expectSymbol(reader, ')', `${OPERATOR} or ")"`);
    return inner;
  }
  const token = reader.take();
  if (token.kind === 'name') return parseName(token, reader, depth);
  if (token.kind !== 'number') throw unexpected(token, OPERAND);
  const value = Number(token.text);
  return () => value;
}

function parseName(first: Token, reader: TokenReader, depth: number): CostExpression {
  const names = [first.text];
  while (reader.skip('.')) {
    const token = reader.take();
    if (token.kind !== 'name') throw unexpected(token, 'the name of a field');
    names.push(token.text);
  }
  const path = names.join('.');
  const called = FUNCTIONS.get(path.replace(/^math\./, ''));
  if (called !== undefined) return parseCall(called, first, reader, depth);
  if (reader.skip('(')) {
    throw new CostSyntaxError(`a call of ${quoteName(path)}`, first.offset, FUNCTION_NAMES);
  }
  // In Lua these are no fields but the functions themselves, and what else their library has (`math.pi`).
  if (first.text === 'math' || FUNCTIONS.has(first.text)) {
    throw new CostSyntaxError(quoteName(path), first.offset, FUNCTION_NAMES);
  }
  return readField(names);
}

function parseCall(
  { most, apply }: CostFunction,
  name: Token,
  reader: TokenReader,
  depth: number,
): CostExpression {
  expectSymbol(reader, '(', 'the "(" of a call');
  const values = parseArguments(reader, depth);
  if (values.length === 0 || values.length > most) {
    const allowed = most === 1 ? 'exactly 1 argument' : 'at least 1 argument';
    throw new CostSyntaxError(`a call with ${values.length} arguments`, name.offset, allowed);
  }
  return (usage) => apply(...values.map((value) => value(usage)));
}

function parseArguments(reader: TokenReader, depth: number): readonly CostExpression[] {
  if (reader.skip(')')) return [];
  const values: CostExpression[] = [];
  do values.push(parseOperation(reader, 0, depth + 1));
  while (reader.skip(','));
  expectSymbol(reader, ')', `${OPERATOR}, "," or ")"`);
  return values;
}

/** Own properties only: `constructor` and `__proto__` are not what the LLM wrote. */
function readField(names: readonly string[]): CostExpression {
  return (usage) => {
    let value: unknown = usage;
    for (const name of names) {
      if (!isObject(value) || !Object.hasOwn(value, name)) return 0;
      value = value[name];
    }
    return typeof value === 'number' ? value : 0;
  };
}

/** Compiles the arithmetic alone: what comes out may be negative, broken, NaN or infinite. */
export function parseArithmetic(text: string): CostExpression {
  const reader = readTokens(text);
  const result = parseOperation(reader, 0, 1);
  if (reader.peek().kind !== 'end') throw unexpected(reader.peek(), `${OPERATOR} or the end`);
  return result;
}
