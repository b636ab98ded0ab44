import { quoteName } from '../config/json-path.ts';

export interface Token {
  readonly kind: 'number' | 'name' | 'symbol' | 'unknown' | 'end';
  readonly text: string;
  /** Where it begins, counted from 0. */
  readonly offset: number;
}

/** Steps through the tokens of a text; past the last one, every further token is the end. */
export interface TokenReader {
  peek(): Token;
  take(): Token;
  /** Takes the next token if it is this symbol, and says whether it was. */
  skip(symbol: string): boolean;
}

const SPACE = /[ \t\n\v\f\r]*/y;

/**
 * Lua reads every letter, digit and dot that follows a digit as one number and refuses the whole (`1..2`, `3x`), so
 * a number is taken as far here and checked afterwards. A sign belongs to it only after a decimal's exponent:
 * `0xe+1` is a sum.
 */
const TOKEN =
  /(?<number>0[xX][\w.]*|(?:\d|\.\d)(?:[eE][+-]?|[\w.])*)|(?<name>[A-Za-z_]\w*)|(?<comment>--)|(?<symbol>\/\/|[-+*/%^(),.])/y;

const NUMBER = /^(?:0[xX][\da-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)$/;

/** Lua's own words. As names of fields they would be syntax errors in APISIX, dotted or not. */
const KEYWORDS: ReadonlySet<string> = new Set(
  (
    'and break do else elseif end false for function goto if in local nil not or repeat return then true until ' +
    'while'
  ).split(' '),
);

function tokenAt(text: string, offset: number): Token {
  TOKEN.lastIndex = offset;
  const { number, name, comment, symbol } = TOKEN.exec(text)?.groups ?? {};
  if (number !== undefined) return { kind: NUMBER.test(number) ? 'number' : 'unknown', text: number, offset };
  if (name !== undefined) return { kind: KEYWORDS.has(name) ? 'unknown' : 'name', text: name, offset };
  if (symbol !== undefined) return { kind: 'symbol', text: symbol, offset };
  if (comment !== undefined) return { kind: 'unknown', text: comment, offset };
  const codePoint = text.codePointAt(offset);
  if (codePoint === undefined) return { kind: 'end', text: '', offset };
  return { kind: 'unknown', text: String.fromCodePoint(codePoint), offset };
}

function skipSpace(text: string, offset: number): number {
  SPACE.lastIndex = offset;
  return offset + (SPACE.exec(text)?.[0].length ?? 0);
}

/** The token for a message. */
export function describeToken({ kind, text }: Token): string {
  if (kind === 'end') return 'the end';
  if (text === '--') return '"--" (which begins a comment in Lua)';
  if (kind === 'unknown' && /^[.\d]/.test(text)) return `${quoteName(text)} (which is no number)`;
  if (KEYWORDS.has(text)) return `the Lua keyword "${text}"`;
  return quoteName(text);
}

/** Throws nothing: what is no part of any expression comes as an `unknown` token, for the parser to refuse. */
export function readTokens(text: string): TokenReader {
  let next = tokenAt(text, skipSpace(text, 0));
  function take(): Token {
    const token = next;
    next = tokenAt(text, skipSpace(text, token.offset + token.text.length));
    return token;
  }
  function skip(symbol: string): boolean {
    const found = next.kind === 'symbol' && next.text === symbol;
    if (found) take();
    return found;
  }
  return { peek: () => next, take, skip };
}
