import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scanDocument } from '../../lib/request/json-document.ts';
import { type Edit, editDocument, removeMember, setMember } from '../../lib/upstream/edit-document.ts';

const edit = (json: string, edits: readonly Edit[]): string =>
  Buffer.concat(editDocument(scanDocument(Buffer.from(json)), edits)).toString();

describe('an edit', () => {
  it.each([
    ['replaces a value', '{"a":1,"b":2}', [setMember('a', 'x')], '{"a":"x","b":2}'],
    ['leaves white space as it is', '{ "a" :\n1 ,\t"b":2 } ', [setMember('b', 3)], '{ "a" :\n1 ,\t"b":3 } '],
    [
      'leaves numbers as they are',
      '{"n":1.0,"big":9007199254740993,"e":1e3,"a":1}',
      [setMember('a', 2)],
      '{"n":1.0,"big":9007199254740993,"e":1e3,"a":2}',
    ],
    [
      'leaves escapes as they are',
      '{"t":"\\u0041\\/\\ud83d","a":1}',
      [setMember('a', 2)],
      '{"t":"\\u0041\\/\\ud83d","a":2}',
    ],
    ['adds a member at the end', '{"a":1 }', [setMember('b', [2])], '{"a":1,"b":[2] }'],
    ['adds several', '{"a":1}', [setMember('b', 2), setMember('c', 3)], '{"a":1,"b":2,"c":3}'],
    ['adds to an empty object', ' {  } ', [setMember('a', 1), setMember('b', 2)], ' {"a":1,"b":2  } '],
    ['replaces every occurrence of a key', '{"a":1,"b":0,"a":2}', [setMember('a', 3)], '{"a":3,"b":0,"a":3}'],
    ['finds a key in whatever spelling', '{"\\u0061":1}', [setMember('a', 2)], '{"\\u0061":2}'],
    [
      'does not touch a key of that name further down',
      '{"o":{"a":1},"l":[{"a":1}]}',
      [setMember('a', 2)],
      '{"o":{"a":1},"l":[{"a":1}],"a":2}',
    ],
    ['writes keys that need escapes', '{}', [setMember('q"\n', 1)], '{"q\\"\\n":1}'],
    ['removes a member', '{"a":1,"b":2,"c":3}', [removeMember('b')], '{"a":1,"c":3}'],
    ['removes the first', '{"a":1,"b":2}', [removeMember('a')], '{"b":2}'],
    ['removes the last', '{"a":1,"b":2}', [removeMember('b')], '{"a":1}'],
    ['removes the only one', '{ "a":1 }', [removeMember('a')], '{}'],
    ['removes every occurrence', '{"a":1,"b":2,"a":3}', [removeMember('a')], '{"b":2}'],
    [
      'removes, replaces and adds at once',
      '{"a":1,"b":2}',
      [removeMember('a'), setMember('b', 3), setMember('c', 4)],
      '{"b":3,"c":4}',
    ],
  ])('%s', (_title, before, edits, after) => {
    expect(edit(before, edits)).toBe(after);
  });

  it.each([
    ['there are none', []],
    ['there is nothing to remove', [removeMember('z')]],
  ])('gives the very same buffer back where %s', (_title, edits) => {
    const document = scanDocument(Buffer.from('{"a":1}'));
    expect(editDocument(document, edits)[0]).toBe(document.bytes);
  });
});

/** A body with that key is refused before it is edited. */
const hasNoProto = (value: unknown): boolean => !JSON.stringify(value).includes('__proto__');

const json = fc.jsonValue({ depthSize: 'small' }).filter(hasNoProto);
const key = fc.oneof(
  fc.constantFrom('model', 'stream', 'a', '', '"', '\\', 'é', '\u2028'),
  fc.string().filter(hasNoProto),
);
const members = fc.array(fc.tuple(key, json), { maxLength: 8 });
const changes = fc.uniqueArray(fc.tuple(key, fc.option(json, { nil: undefined })), {
  maxLength: 5,
  selector: ([name]) => name,
});
const space = fc.constantFrom('', ' ', '\n', '\t ', '\r\n');

/** The members as JSON text, duplicates and white space included. */
function write(entries: readonly (readonly [string, unknown])[], gap: string): string {
  const written = entries.map(
    ([name, value]) => `${gap}${JSON.stringify(name)}${gap}:${gap}${JSON.stringify(value)}${gap}`,
  );
  return `${gap}{${written.join(',') || gap}}${gap}`;
}

const toEdits = (list: readonly (readonly [string, unknown])[]): Edit[] =>
  list.map(([name, value]) => (value === undefined ? removeMember(name) : setMember(name, value)));

const parse = (text: string): unknown => JSON.parse(text);

describe('whatever the document and the edits', () => {
  it('the result is what the object would be', () => {
    fc.assert(
      fc.property(members, changes, space, (entries, list, gap) => {
        // Without a prototype, and as JSON.parse takes it: the last of a key counts.
        const model = new Map<string, unknown>(entries);
        for (const [name, value] of list) {
          if (value === undefined) model.delete(name);
          else model.set(name, value);
        }
        const expected = parse(write([...model], ''));
        expect(parse(edit(write(entries, gap), toEdits(list)))).toEqual(expected);
      }),
    );
  });

  it('every byte outside the new values stays when nothing is removed', () => {
    fc.assert(
      fc.property(members, changes, space, (entries, list, gap) => {
        const sets = list.filter(([, value]) => value !== undefined);
        const changed = new Map(sets);
        const before = write(entries, gap);
        const replaced = write(
          entries.map(([name, value]) => [name, changed.has(name) ? changed.get(name) : value]),
          gap,
        );
        const present = new Set(entries.map(([name]) => name));
        const added = sets
          .filter(([name]) => !present.has(name))
          .map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
        const after = edit(before, toEdits(sets));
        // What is added stands together, behind the last value.
        const text = added.join(',');
        const at = text === '' ? 0 : after.lastIndexOf(text);
        const comma = text !== '' && entries.length > 0 ? 1 : 0;
        expect(after.slice(0, at - comma > 0 ? at - comma : at) + after.slice(at + text.length)).toBe(
          replaced,
        );
      }),
    );
  });

  it('no value of a replaced key is left, however often the key is there', () => {
    fc.assert(
      fc.property(members, key, (entries, name) => {
        const poisoned = entries.map(([other]): [string, string] => [other, 'of the client']);
        const twice: [string, string][] = [[name, 'of the client'], ...poisoned, [name, 'of the client']];
        const rest = twice.filter(([other]) => other !== name).length;
        const after = edit(write(twice, ''), [setMember(name, 'ours')]);
        expect(after.split('of the client')).toHaveLength(rest + 1);
      }),
    );
  });
});
