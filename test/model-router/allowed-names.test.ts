import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileAllowedNames } from '../../lib/model-router/allowed-names.ts';

/** By another way than the one under test: every split of the name. */
function fitsBySplitting(entry: string, name: string): boolean {
  const [start = '', end] = entry.split('*');
  if (end === undefined) return entry === name;
  return Array.from({ length: name.length + 1 }, (_, from) => from).some((from) =>
    Array.from({ length: name.length - from + 1 }, (_, more) => from + more).some(
      (to) => name.slice(0, from) === start && name.slice(to) === end,
    ),
  );
}

describe('allowed_models', () => {
  it.each([
    ['nothing', [], 'gpt-4o', false],
    ['nothing', [], '', false],
    ['an exact name', ['gpt-4o'], 'gpt-4o', true],
    ['no name that only begins so', ['gpt-4o'], 'gpt-4o-mini', false],
    ['no name in other letter case', ['gpt-4o'], 'GPT-4o', false],
    ['any of several names', ['a', 'b'], 'b', true],
    ['everything', ['*'], 'anything/at all', true],
    ['everything, the empty name too', ['*'], '', true],
    ['a family', ['openai/*'], 'openai/gpt-4o', true],
    ['a family, slashes included', ['openai/*'], 'openai/ft/gpt-4o', true],
    ['a family, but no name that holds it further on', ['openai/*'], 'x/openai/gpt-4o', false],
    ['an end', ['*-mini'], 'gpt-4o-mini', true],
    ['an end, but no longer name', ['*-mini'], 'gpt-4o-mini-2', false],
    ['a middle', ['gpt-*-mini'], 'gpt-4o-mini', true],
    ['a middle of nothing', ['gpt-*-mini'], 'gpt--mini', true],
    ['no overlap of start and end', ['ab*ba'], 'aba', false],
    ['a name beside globs', ['x*', 'gpt-4o'], 'gpt-4o', true],
    ['a glob beside names', ['gpt-4o', 'x*'], 'x1', true],
    ['a full stop for itself', ['gpt.4*'], 'gptx4o', false],
    ['brackets for themselves', ['(a+)+$*'], '(a+)+$!', true],
    ['a member of every object only where it is named', ['gpt-4o'], 'constructor', false],
    ['a second star for itself', ['a*b*'], 'axbx', false],
  ])('allows %s: %j, %j', (_title, entries, name, expected) => {
    expect(compileAllowedNames(entries)(name)).toBe(expected);
  });

  it('allows what any entry fits, whatever the letters', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '.', '/'), maxLength: 5 });
    const entry = fc.oneof(
      text,
      fc.tuple(text, text).map((parts) => parts.join('*')),
    );
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 4 }), text, (entries, name) => {
        const expected = entries.some((candidate) => fitsBySplitting(candidate, name));
        expect(compileAllowedNames(entries)(name)).toBe(expected);
      }),
    );
  });
});
