import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CostSyntaxError, parseCostExpression } from '../../lib/ai-rate-limiting/cost-expression.ts';
import { anyText } from '../support/any-character.ts';

type Usage = Readonly<Record<string, unknown>>;

function cost(text: string, usage: Usage = {}): number {
  return parseCostExpression(text)(usage);
}

/** The message a text is refused with. */
function fault(text: string): string {
  try {
    parseCostExpression(text);
  } catch (error) {
    if (error instanceof CostSyntaxError) return error.message;
    throw error;
  }
  throw new Error(`was taken: ${text}`);
}

const ANTHROPIC = {
  input_tokens: 100,
  cache_creation_input_tokens: 40,
  cache_read_input_tokens: 25,
  output_tokens: 7,
};

const OPENAI = {
  prompt_tokens: 100,
  completion_tokens: 20,
  total_tokens: 120,
  prompt_tokens_details: { cached_tokens: 64, audio: { input: 3 } },
};

describe('cost_expr computes', () => {
  it.each<[string, Usage, number]>([
    ['input_tokens + output_tokens', ANTHROPIC, 107],
    ['input_tokens + cache_read_input_tokens * 0.1 + cache_creation_input_tokens * 1.25', ANTHROPIC, 153],
    ['(input_tokens - cache_read_input_tokens) + output_tokens', ANTHROPIC, 82],
    ['input_tokens + nonexistent_field + output_tokens', ANTHROPIC, 107],
    ['prompt_tokens - prompt_tokens_details.cached_tokens', OPENAI, 36],
    ['prompt_tokens_details.audio.input * 10', OPENAI, 30],
    ['prompt_tokens_details . cached_tokens', OPENAI, 64],
    ['max(prompt_tokens, 4 * completion_tokens)', OPENAI, 100],
    ['\n\tprompt_tokens\r\n + \v\f completion_tokens ', OPENAI, 120],
    ['_a1 + A', { _a1: 1, A: 2 }, 3],
    ['this', { this: 4 }, 4],
  ])('%j', (text, usage, expected) => {
    expect(cost(text, usage)).toBe(expected);
  });
});

describe('a number', () => {
  it.each([
    ['0', 0],
    ['1', 1],
    ['007', 7],
    ['1.5 * 2', 3],
    ['.5 * 4', 2],
    ['5. * 2', 10],
    ['5.*.5 * 10', 25],
    ['1e3', 1000],
    ['1E+2', 100],
    ['1e-2 * 300', 3],
    ['1.5e3-1e2', 1400],
    ['.5e1', 5],
    ['0x10', 16],
    ['0xAf + 0XaF', 350],
    ['0xe+1', 15],
  ])('may be written %s', (text, expected) => {
    expect(cost(text)).toBe(expected);
  });

  it.each([
    '1..2',
    '1.2.3',
    '3x',
    '1e',
    '1e+',
    '0x',
    '0xg',
    '0x1.8',
    '1_000',
    '1e5.5',
    '10LL',
    '.',
    '1 2',
    'a .5',
  ])('may not be written %s', (text) => {
    expect(() => parseCostExpression(text)).toThrow(CostSyntaxError);
  });
});

// Every value here is what LuaJIT 2.1 printed for the same text; for those with // it was Lua 5.4, LuaJIT having none.
describe('operators bind as they do in Lua', () => {
  it.each([
    ['2+3*4', 14],
    ['(2+3)*4', 20],
    ['7-3-2', 2],
    ['100/10/5', 2],
    ['8/2*4', 16],
    ['2*3%4', 2],
    ['10-4%3', 9],
    ['1-2*3+10', 5],
    ['2^3^2', 512],
    ['2^3*4^2', 128],
    ['5*2^3', 40],
    ['10 - 2 ^ 2 * 2', 2],
    ['-2^2+10', 6],
    ['-3^2+10', 1],
    ['2^-1*8', 4],
    ['2^-2^2*64', 4],
    ['2^-3^0*10', 5],
    ['-2^-2*100+100', 75],
    ['2*-3+10', 4],
    ['-1*-1', 1],
    ['1- -1', 2],
    ['- -3', 3],
    ['6/-3+10', 8],
    ['2^0.5*100', 141],
    ['-3%5', 2],
    ['-(3%5)+9', 6],
    ['10%-3+10', 8],
    ['-7%-3+10', 9],
    ['7.5%2*10', 15],
    ['5.3%-2*10+20', 13],
    ['7%0.2', 0],
    ['-7//2+10', 6],
    ['7//2', 3],
    ['7//-2+10', 6],
    ['5.5//2', 2],
    ['100//7//2', 7],
    ['2^2//3', 1],
    ['10-7//2', 7],
    ['-7//2*2+10', 2],
  ])('%s is %d', (text, expected) => {
    expect(cost(text)).toBe(expected);
  });
});

describe('a function', () => {
  it.each([
    ['abs(-3)', 3],
    ['abs(-3)^2', 9],
    ['ceil(1.2)', 2],
    ['ceil(-1.5)+5', 4],
    ['floor(1.8)', 1],
    ['floor(-1.5)+5', 3],
    ['max(3)', 3],
    ['max(1, 3, 2)', 3],
    ['min(4, 5, 2, 9)', 2],
    ['max(1,2,3)*min(4,5)', 12],
    ['math.abs(-3) + math.ceil(.5) + math.floor(1.5) + math.max(1, 2) + math.min(1, 2)', 8],
    ['math . max (1, 2)', 2],
    ['max(min(a, 10), -(1), (2))', 8],
  ])('%s is %d', (text, expected) => {
    expect(cost(text, { a: 8 })).toBe(expected);
  });

  it.each([
    'abs()',
    'abs(1, 2)',
    'ceil()',
    'ceil(1, 2)',
    'math.floor()',
    'math.floor(1, 2)',
    'max()',
    'math.min()',
    'max(1,)',
    'max(,1)',
    'max(1 2)',
    'max(1',
    'max',
    'max + 1',
    'max.length',
    'math',
    'math.pi',
    'math.huge',
    'math.sqrt(4)',
    'math.math.abs(1)',
    'maths.abs(1)',
    'tokens.abs(1)',
    'sqrt(4)',
    'max{1}',
    'max"1"',
    'max(1).x',
    'max(1)(2)',
  ])('is not called as in %s', (text) => {
    expect(() => parseCostExpression(text)).toThrow(CostSyntaxError);
  });

  it('has its name to itself, as in APISIX: no field is read under it', () => {
    expect(cost('abs(-1)', { abs: 5, math: { abs: 5 } })).toBe(1);
  });
});

describe('a field counts as 0', () => {
  it.each<[string, Usage]>([
    ['tokens', {}],
    ['tokens', { tokens: '5' }],
    ['tokens', { tokens: true }],
    ['tokens', { tokens: null }],
    ['tokens', { tokens: { value: 5 } }],
    ['tokens', { tokens: [5] }],
    ['details.tokens', {}],
    ['details.tokens', { details: 5 }],
    ['details.tokens', { details: null }],
    ['details.tokens', { 'details.tokens': 5 }],
    ['details.length', { details: 'text' }],
    ['details.length', { details: [1, 2, 3] }],
    ['constructor', {}],
    ['constructor.length', {}],
    ['constructor.constructor.length', {}],
    ['__proto__', {}],
    ['__proto__.__proto__', {}],
    ['toString', {}],
    ['toString.length', {}],
    ['hasOwnProperty.length', {}],
    ['tokens', Object.create({ tokens: 5 })],
    ['details.tokens', { details: Object.create({ tokens: 5 }) }],
  ])('as %s in %j', (text, usage) => {
    expect(cost(text, usage)).toBe(0);
    expect(cost(`${text} + 1`, usage)).toBe(1);
  });

  it('only where the LLM did not write it, whatever its name', () => {
    const usage: unknown = JSON.parse('{"__proto__": 3, "constructor": {"toString": 4}}');
    expect(cost('usage.__proto__ + usage.constructor.toString', { usage })).toBe(7);
  });
});

describe('the cost is a whole number that a counter can hold', () => {
  it.each([
    ['1.4', 1],
    ['1.5', 2],
    ['2.5', 3],
    ['0.5', 1],
    ['0.49999999999999994', 0],
    ['-0.2', 0],
    ['-1', 0],
    ['-1.5', 0],
    ['0 * -1', 0],
    ['1/0', 0],
    ['-1/0', 0],
    ['0/0', 0],
    ['1//0', 0],
    ['1%0', 0],
    ['(-8)^0.5', 0],
    ['1e999', 0],
    ['10^400', 0],
    ['max(1, 0/0)', 0],
    ['max(0/0, 1)', 0],
    ['min(1/0, 5)', 5],
    ['1e300', Number.MAX_SAFE_INTEGER],
    ['2^53', Number.MAX_SAFE_INTEGER],
    ['2^53 - 1', Number.MAX_SAFE_INTEGER],
    ['2^52 + 1', 2 ** 52 + 1],
  ])('%s costs %d', (text, expected) => {
    expect(cost(text)).toBe(expected);
  });

  it.each([
    ['a number too large for JSON', '{"tokens": 1e999}', 0],
    ['a negative number', '{"tokens": -5}', 0],
    ['a fraction', '{"tokens": 5.5}', 6],
  ])('where the LLM reports %s', (_what, json, expected) => {
    const usage: unknown = JSON.parse(json);
    expect(cost('usage.tokens', { usage })).toBe(expected);
  });
});

describe('what is no arithmetic is refused', () => {
  it.each([
    '',
    ' ',
    '+',
    '+1',
    '1 +',
    '1 + + 1',
    '* 2',
    '2 ** 3',
    '()',
    '(1',
    '1)',
    '(1))',
    '(1, 2)',
    '1, 2',
    '2(3)',
    '(a)(1)',
    '(a).b',
    'a b',
    'a.',
    '.a',
    'a..b',
    'a .. b',
    'a.1',
    'a.b.',
    'a.(b)',
    'a[1]',
    'a["b"]',
    '[].x',
    'a:b()',
    'a()',
    'a.b(1)',
    'process.exit()',
    'constructor.constructor("return 1")()',
    'toString()',
    '__proto__()',
    'os.execute(1)',
    'a = 1',
    'a == 1',
    'a ~= 1',
    'a < 1',
    'a >= 1',
    'a ? 1 : 2',
    'a;b',
    'a;',
    'return 1',
    '1 return',
    'a and b',
    'not a',
    'nil',
    'true',
    'a.end',
    'function() end',
    '"1"',
    "'1'",
    '`1`',
    '[[1]]',
    '#a',
    '{}',
    '{1}',
    '...',
    '1 -- 2',
    '1 --',
    '--1',
    '1 /* 2 */',
    '1 & 2',
    '1 | 2',
    '1 << 2',
    '~1',
    '1!',
    'a$b',
    '$a',
    'a\\b',
    'a@b',
    `\${x}`,
    'größe',
    'a\u00a0+ b',
    'a\u0000',
    '\ufeff1',
    '😀',
    '\ud800',
    '１',
    'invalid $$$ syntax %%%',
  ])('%j', (text) => {
    expect(() => parseCostExpression(text)).toThrow(CostSyntaxError);
  });

  it('runs nothing of a name that JavaScript knows', () => {
    expect(cost('this + globalThis + process.pid + arguments.length + undefined + NaN + Infinity')).toBe(0);
  });
});

describe('the message says what was found where, and what is allowed', () => {
  const operator = 'an operator (+ - * / // % ^)';
  const operand = 'a number, a name, a function, "-" or "("';
  const functions = 'the functions abs, ceil, floor, max, min, also as math.abs and so on';
  it.each([
    ['', `found the end at character 1; allowed: ${operand}`],
    ['a;b', `found ";" at character 2; allowed: ${operator} or the end`],
    ['a + * b', `found "*" at character 5; allowed: ${operand}`],
    ['(a', `found the end at character 3; allowed: ${operator} or ")"`],
    ['max(1;', `found ";" at character 6; allowed: ${operator}, "," or ")"`],
    ['max', 'found the end at character 4; allowed: the "(" of a call'],
    ['a.1', `found ".1" at character 2; allowed: ${operator} or the end`],
    ['a..b', 'found "." at character 3; allowed: the name of a field'],
    ['1 + 2x', `found "2x" (which is no number) at character 5; allowed: ${operand}`],
    ['1 --2', `found "--" (which begins a comment in Lua) at character 3; allowed: ${operator} or the end`],
    ['a and b', `found the Lua keyword "and" at character 3; allowed: ${operator} or the end`],
    ['1 + process.exit(1)', `found a call of "process.exit" at character 5; allowed: ${functions}`],
    ['math.pi', `found "math.pi" at character 1; allowed: ${functions}`],
    ['1 + abs(1, 2)', 'found a call with 2 arguments at character 5; allowed: exactly 1 argument'],
    ['max()', 'found a call with 0 arguments at character 1; allowed: at least 1 argument'],
    ['a 😀', `found "😀" at character 3; allowed: ${operator} or the end`],
    ['a\u0000', `found "\\u0000" at character 2; allowed: ${operator} or the end`],
  ])('%j', (text, message) => {
    expect(fault(text)).toBe(message);
  });

  it('stays short, however long a name is', () => {
    expect(fault(`${'x'.repeat(900)}()`).length).toBeLessThan(300);
  });
});

describe('no text is too much', () => {
  const nested = (depth: number): string => `${'('.repeat(depth)}1${')'.repeat(depth)}`;

  it('takes 1,000 characters and refuses one more', () => {
    const sum = `${'1+'.repeat(499)}10`;
    expect(cost(sum)).toBe(509);
    expect(fault(`${sum} `)).toBe('found more text at character 1001; allowed: at most 1000 characters');
  });

  it.each([
    ['parentheses', nested(100_000)],
    ['opening parentheses', '('.repeat(100_000)],
    ['minus signs', `${'- '.repeat(100_000)}1`],
    ['powers', `${'2^'.repeat(100_000)}2`],
    ['dots', `a${'.a'.repeat(100_000)}`],
    ['spaces', ' '.repeat(100_000)],
  ])('refuses 100,000 %s', (_what, text) => {
    expect(() => parseCostExpression(text)).toThrow(CostSyntaxError);
  });

  it.each([
    ['parentheses', nested(200)],
    ['opening parentheses', '('.repeat(1000)],
    ['minus signs', `${'- '.repeat(200)}1`],
    ['powers', `${'2^'.repeat(200)}2`],
    ['calls', `${'abs('.repeat(200)}1${')'.repeat(200)}`.slice(0, 1000)],
    ['sums in sums', `${'1+('.repeat(100)}1${')'.repeat(100)}`],
    ['minus signs in powers', `${'1^-'.repeat(100)}1`],
  ])('refuses %s nested deeper than 200', (_what, text) => {
    expect(fault(text)).toMatch(/^found deeper nesting at character \d+; allowed: at most 200 levels$/);
  });

  it.each([
    ['parentheses', nested(199), 1],
    ['minus signs', `${'- '.repeat(198)}5`, 5],
    ['powers', `${'1^'.repeat(199)}2`, 1],
  ])('takes %s nested 200 deep', (_what, text, expected) => {
    expect(cost(text)).toBe(expected);
  });
});

describe('whatever is configured and whatever an LLM reports', () => {
  const word = fc.constantFrom(
    ...['a', 'b', 'a.b', 'constructor', '__proto__', 'toString', 'max', 'min(', 'math.abs(', 'floor', 'math'],
    ...[
      '0',
      '1',
      '.5',
      '2e3',
      '0x1f',
      '1e308',
      '+',
      '-',
      '*',
      '/',
      '//',
      '%',
      '^',
      '(',
      ')',
      ',',
      '.',
      ' ',
      '--',
    ],
    ...[';', '"', '[', '=', 'and', '\n', '$', '\u00e9'],
  );
  const garbage = fc.oneof(
    anyText({ maxLength: 50 }),
    fc.string({ unit: 'grapheme-ascii', maxLength: 50 }),
    fc.array(word, { maxLength: 30 }).map((words) => words.join('')),
    fc.array(word, { maxLength: 30 }).map((words) => words.join(' ')),
  );
  const { expression } = fc.letrec<{ expression: string }>((tie) => ({
    expression: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constantFrom('a', 'b', 'a.b', 'c', '__proto__', 'constructor.name', '0', '3', '.5', '1e308'),
      fc
        .tuple(tie('expression'), fc.constantFrom('+', '-', '*', '/', '//', '%', '^'), tie('expression'))
        .map((parts) => parts.join(' ')),
      tie('expression').map((inner) => `- ${inner}`),
      tie('expression').map((inner) => `(${inner})`),
      fc.tuple(tie('expression'), tie('expression')).map((values) => `max(${values.join(', ')})`),
    ),
  }));
  const name = fc.oneof(fc.constantFrom('a', 'b', 'c', 'constructor', '__proto__', 'toString'), fc.string());
  const value = fc.oneof(fc.double(), fc.integer(), fc.anything());
  const usage = fc.dictionary(name, fc.oneof(value, fc.dictionary(name, value)));

  it('garbage is refused as such or costs a whole number that is not negative', () => {
    fc.assert(
      fc.property(garbage, usage, (text, reported) => {
        try {
          const result = cost(text, reported);
          expect(Number.isSafeInteger(result) && result >= 0 && !Object.is(result, -0)).toBe(true);
        } catch (error) {
          if (!(error instanceof CostSyntaxError)) throw error;
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('arithmetic costs a whole number that is not negative, the same each time', () => {
    fc.assert(
      fc.property(expression, usage, (text, reported) => {
        fc.pre(text.length <= 1000);
        const compute = parseCostExpression(text);
        const result = compute(reported);
        expect(Number.isSafeInteger(result) && result >= 0 && !Object.is(result, -0)).toBe(true);
        expect(compute(reported)).toBe(result);
      }),
      { numRuns: 1000 },
    );
  });

  it('parentheses around the whole, and space around its parts, change nothing', () => {
    fc.assert(
      fc.property(expression, usage, (text, reported) => {
        fc.pre(text.length <= 300);
        const spaced = text.replaceAll(' ', '\n \t').replace(/[(),]/g, ' $& ');
        expect(cost(`((${spaced}))`, reported)).toBe(cost(text, reported));
      }),
    );
  });
});
