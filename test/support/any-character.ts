import fc from 'fast-check';

const SURROGATES = { first: 0xd800, count: 0x800 };
const CODE_POINTS = 0x110000 - SURROGATES.count;

/** One whole character, any there is. The library's own unit makes a table of all of them first, for seconds. */
export const anyCharacter: fc.Arbitrary<string> = fc
  .nat(CODE_POINTS - 1)
  .map((index) => String.fromCodePoint(index < SURROGATES.first ? index : index + SURROGATES.count));

/** Text of such characters, of which many are as ordinary as those that people write. */
export function anyText(constraints: fc.StringSharedConstraints = {}): fc.Arbitrary<string> {
  const ordinary = fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCodePoint(code));
  return fc.string({ ...constraints, unit: fc.oneof(ordinary, anyCharacter) });
}
