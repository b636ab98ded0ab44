import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { copyJson } from '../../lib/config/copy-json.ts';
import { isSameJson } from '../../lib/config/same-json.ts';

const isSame = (one: unknown, other: unknown): boolean =>
  isSameJson(copyJson(one).value, copyJson(other).value);

/** The same for both, whatever the order of fields is. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, field]) => [name, sorted(field)]),
  );
}

describe('two values of JSON', () => {
  it.each([
    ['scalars', 1, 1],
    ['null', null, null],
    ['lists', [1, [2], {}], [1, [2], {}]],
    ['fields in another order', { a: 1, b: { c: [] } }, { b: { c: [] }, a: 1 }],
  ])('are the same: %s', (_what, one, other) => {
    expect(isSame(one, other)).toBe(true);
  });

  it.each([
    ['a number and its text', 1, '1'],
    ['nothing and an empty object', null, {}],
    ['a list and an object', [], {}],
    ['an object and a list', {}, []],
    ['a longer list', [1], [1, 2]],
    ['a shorter list', [1, 2], [1]],
    ['one field more', { a: 1 }, { a: 1, b: 2 }],
    ['one field less', { a: 1, b: 2 }, { a: 1 }],
    ['another field', { a: 1 }, { b: 1 }],
    ['a field of another name, null', { a: null }, { b: null }],
    ['something deep within', { a: [{ b: 1 }] }, { a: [{ b: 2 }] }],
  ])('differ: %s', (_what, one, other) => {
    expect(isSame(one, other)).toBe(false);
  });

  it('are the same where their texts are, fields sorted', () => {
    const json = fc.jsonValue({ maxDepth: 3, noUnicodeString: true }).filter((value) => {
      return !JSON.stringify(value).includes('__proto__');
    });
    fc.assert(
      fc.property(json, json, (one, other) => {
        const isSameText = JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
        expect(isSame(one, other)).toBe(isSameText);
        expect(isSame(one, JSON.parse(JSON.stringify(one)))).toBe(true);
      }),
    );
  });
});
