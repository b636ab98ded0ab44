import { describe, expect, it } from 'vitest';
import { copyJson } from '../../lib/config/copy-json.ts';

function deep(levels: number): unknown {
  let value: unknown = 'bottom';
  for (let level = 0; level < levels; level++) value = { value };
  return value;
}

describe('copyJson', () => {
  it.each([
    ['scalars', { a: 1, b: 'x', c: true, d: null }],
    ['containers', { a: [1, [2], { b: {} }], c: [] }],
    [
      'what JSON does not have',
      { a: undefined, b: () => {}, c: Symbol('s'), d: [undefined, () => {}], e: Number.NaN },
    ],
    ['toJSON', { a: new Date(0), b: { toJSON: () => ({ c: 1 }) }, d: { toJSON: 5 } }],
    ['odd names', { constructor: 1, toString: 2, '': 3, hasOwnProperty: { a: 1 } }],
    ['holes', { a: new Array(2) }],
    [
      'instances of classes',
      {
        a: new Map([[1, 2]]),
        b: new (class {
          field = 1;
        })(),
      },
    ],
  ])('copies %s as JSON would', (_what, value) => {
    const copy = copyJson(value);
    expect(copy.faults).toEqual([]);
    expect(JSON.stringify(copy.value)).toBe(JSON.stringify(value));
  });

  it('shares nothing with the input', () => {
    const value = { a: { b: [{}] } };
    const copy = copyJson(value).value;
    expect(copy).toEqual(value);
    expect(copy).not.toBe(value);
    expect(copy).toHaveProperty('a');
    expect(copy).not.toHaveProperty(
      'a',
      expect.toSatisfy((a) => a === value.a),
    );
  });

  it('takes the same object in two places', () => {
    const auth = { header: {} };
    expect(copyJson({ a: auth, b: [auth, auth] }).faults).toEqual([]);
  });

  it('names the place of a cycle', () => {
    const value: Record<string, unknown> = { a: [{}] };
    value.a = [{ self: value }];
    expect(copyJson(value).faults).toEqual([{ path: 'a[0].self', message: 'holds itself' }]);
  });

  it('refuses a field called __proto__, and no prototype notices', () => {
    const copy = copyJson(JSON.parse('{"a":{"__proto__":{"polluted":true}}}'));
    expect(copy.faults).toEqual([{ path: 'a.__proto__', message: 'is no name a field may have' }]);
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
    expect(copy.value).not.toHaveProperty('a.polluted');
  });

  it('refuses a BigInt and endless nesting', () => {
    expect(copyJson({ a: 1n }).faults).toEqual([
      { path: 'a', message: 'is a BigInt, which JSON does not have' },
    ]);
    expect(copyJson(deep(400)).faults).toEqual([]);
    expect(copyJson(deep(100_000)).faults).toEqual([
      { path: 'value.value.value', message: 'is nested deeper than 500 levels' },
    ]);
  });
});
