import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../lib/answer/gateway-error.ts';
import { countElements, type JsonDocument, scanDocument } from '../../lib/request/json-document.ts';
import { anyCharacter } from '../support/any-character.ts';

const ALIGNMENTS = [0, 1, 2, 3, 4, 5, 6, 7];

/** White space that makes any document long enough for the way in which long ones are crossed. */
const BALLAST = Buffer.alloc(600, ' ');

/** The same bytes at an offset of a larger buffer, between quotes that nobody may read. */
function placed(bytes: Buffer, offset: number): Buffer {
  const memory = Buffer.alloc(offset + bytes.length + 8, '"');
  bytes.copy(memory, offset);
  return memory.subarray(offset, offset + bytes.length);
}

/** The document, or the `code` it is refused with. */
function scan(bytes: Buffer): JsonDocument | string {
  try {
    return scanDocument(bytes);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return error.code;
  }
}

/** What JSON.parse makes of the bytes; `undefined` for what it refuses, and for whatever is no object. */
function parseObject(bytes: Buffer): object | undefined {
  if (!isUtf8(bytes)) return undefined;
  try {
    const value: unknown = JSON.parse(bytes.toString());
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const space = fc.string({ unit: fc.constantFrom(' ', '\t', '\n', '\r'), maxLength: 5 });

const plainCharacter = anyCharacter.filter(
  (character) => character >= ' ' && character !== '"' && character !== '\\',
);

const unicodeEscape = fc.tuple(fc.integer({ min: 0, max: 0xffff }), fc.boolean()).map(([unit, capitals]) => {
  const hex = unit.toString(16).padStart(4, '0');
  return `\\u${capitals ? hex.toUpperCase() : hex}`;
});

/** JSON text of a string: plain characters, every escape, and runs long enough for the fast path. */
const stringText = fc
  .array(
    fc.oneof(
      plainCharacter,
      unicodeEscape,
      fc.constantFrom('\\"', '\\\\', '\\/', '\\b', '\\f', '\\n', '\\r', '\\t'),
      fc.integer({ min: 1, max: 40 }).map((length) => 'x'.repeat(length)),
      fc.constantFrom('{', '}', '[', ']', ',', ':', '\u007f', '\u0080', 'é', '😀'),
    ),
    { maxLength: 8 },
  )
  .map((pieces) => `"${pieces.join('')}"`)
  .filter((text) => JSON.parse(text) !== '__proto__');

const numberText = fc.oneof(
  fc.constantFrom('0', '-0', '0.0', '1e5', '1E+05', '-1.25e-300', '1e999', '12345678901234567890'),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => JSON.stringify(number)),
);

function listed(open: string, close: string, entries: readonly string[], inner: string): string {
  return `${open}${inner}${entries.join(`${inner},${inner}`)}${inner}${close}`;
}

const { value: valueText } = fc.letrec<{ value: string; entry: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof(stringText, numberText, fc.constantFrom('true', 'false', 'null')),
    fc.tuple(fc.array(tie('value'), { maxLength: 4 }), space).map(([values, inner]) => {
      return listed('[', ']', values, inner);
    }),
    fc.tuple(fc.array(tie('entry'), { maxLength: 4 }), space).map(([entries, inner]) => {
      return listed('{', '}', entries, inner);
    }),
  ),
  entry: fc
    .tuple(stringText, space, space, tie('value'))
    .map(([key, before, after, value]) => `${key}${before}:${after}${value}`),
}));

interface Member {
  readonly key: string;
  readonly value: string;
}

/** Members whose keys often collide, in different spellings. */
const members = fc.array(
  fc.record<Member>({
    key: fc.oneof(stringText, fc.constantFrom('"a"', '"\\u0061"', '"model"', '"mod\\u0065l"')),
    value: valueText,
  }),
  { maxLength: 6 },
);

const documentText = fc.tuple(members, space, space, space).map(([entries, around, inner, colon]) => ({
  entries,
  text: `${around}${listed(
    '{',
    '}',
    entries.map(({ key, value }) => `${key}${colon}:${inner}${value}`),
    inner,
  )}${around}`,
}));

describe('scanDocument', () => {
  it('takes every JSON object, at every alignment, and finds each member where it is', () => {
    fc.assert(
      fc.property(documentText, fc.boolean(), ({ entries, text }, isLong) => {
        const ballast = isLong ? BALLAST : '';
        for (const offset of ALIGNMENTS) {
          const bytes = placed(Buffer.from(`${text}${ballast}`), offset);
          const document = scan(bytes);
          if (typeof document === 'string') throw new Error(`refused as ${document}`);
          expect(
            document.members.map(({ key, valueStart, valueEnd }) => ({
              key,
              value: bytes.toString('utf8', valueStart, valueEnd),
            })),
          ).toEqual(entries.map(({ key, value }) => ({ key: JSON.parse(key), value })));
          for (const [index, { start }] of document.members.entries()) {
            const key = Buffer.from(entries[index]?.key ?? '');
            expect(bytes.subarray(start, start + key.length).equals(key)).toBe(true);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('reads a document as JSON.parse does', () => {
    fc.assert(
      fc.property(documentText, ({ text }) => {
        const { bytes, members: found } = scanDocument(Buffer.from(text));
        const read = found.map(({ key, valueStart, valueEnd }): [string, unknown] => [
          key,
          JSON.parse(bytes.toString('utf8', valueStart, valueEnd)),
        ]);
        expect(Object.fromEntries(read)).toEqual(JSON.parse(text));
      }),
    );
  });

  const byte = fc.oneof(
    fc.constantFrom(...Buffer.from('"\\{}[],:0123456789-+.eEutrfalsn \t\n\r/')),
    fc.constantFrom(0, 0x1f, 0x7f, 0x80, 0xa0, 0xbf, 0xc3, 0xe2, 0xf0, 0xff),
    fc.integer({ min: 0, max: 255 }),
  );
  const mutation = fc.record({
    kind: fc.constantFrom('delete', 'insert', 'replace', 'cut'),
    at: fc.nat(),
    byte,
  });

  type Mutation = Readonly<{ kind: string; at: number; byte: number }>;

  function mutate(bytes: Buffer, { kind, at, byte }: Mutation): Buffer {
    const index = at % (bytes.length + 1);
    const before = bytes.subarray(0, index);
    if (kind === 'cut') return before;
    const inserted = kind === 'delete' ? Buffer.alloc(0) : Buffer.from([byte]);
    return Buffer.concat([before, inserted, bytes.subarray(kind === 'insert' ? index : index + 1)]);
  }

  /** Both parsers' verdicts; a key that a mutation happened to make `__proto__` is no difference. */
  function compareAt(offset: number, bytes: Buffer): void {
    const verdict = scan(placed(bytes, offset));
    if (verdict === 'forbidden_key') return;
    const expected = parseObject(bytes);
    if ((typeof verdict === 'string') === (expected === undefined)) return;
    throw new Error(`at offset ${offset}, ${JSON.stringify(bytes.toString())}: ${JSON.stringify(verdict)}`);
  }

  function compare(bytes: Buffer): void {
    for (const offset of ALIGNMENTS) {
      compareAt(offset, bytes);
      compareAt(offset, Buffer.concat([bytes, BALLAST]));
    }
  }

  it('agrees with JSON.parse on every mutated document, at every alignment', () => {
    fc.assert(
      fc.property(documentText, fc.array(mutation, { minLength: 1, maxLength: 3 }), ({ text }, mutations) => {
        const bytes = mutations.reduce(mutate, Buffer.from(text));
        compare(bytes);
      }),
      { numRuns: 1000 },
    );
  });

  it('agrees with JSON.parse on any bytes inside a string and around it', () => {
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 24 }), fc.boolean(), (bytes, quoted) => {
        const [before, after] = quoted ? ['{"a":"', '"}'] : ['{"a":', '}'];
        const text = Buffer.concat([Buffer.from(before), Buffer.from(bytes), Buffer.from(after)]);
        compare(text);
      }),
      { numRuns: 1000 },
    );
  });

  it('sees a special byte at every place of a string, at every alignment', () => {
    for (const special of ['"', '\\', '\n', '\u001f']) {
      for (let length = 0; length < 20; length++) {
        for (let at = 0; at <= length; at++) {
          const text = `{"a":"${'x'.repeat(at)}${special}${'é'.repeat(length - at)}"}`;
          compare(Buffer.from(text));
        }
      }
    }
  });
});

describe('counting elements', () => {
  it('agrees with JSON.parse', () => {
    fc.assert(
      fc.property(
        // A `__proto__` key is refused before anything is counted.
        fc.array(fc.jsonValue()).filter((tools) => !JSON.stringify(tools).includes('__proto__')),
        fc.constantFrom('', ' ', '\n  '),
        fc.nat(7),
        (tools, space, offset) => {
          const text = JSON.stringify({ before: tools, tools, after: tools }, undefined, space);
          const document = scanDocument(placed(Buffer.concat([Buffer.from(text), BALLAST]), offset));
          expect(countElements(document, 'tools')).toBe(tools.length);
        },
      ),
    );
  });
});
