import { describe, expect, it } from 'vitest';
import { eligibleTargets } from '../../lib/model-router/routing-tags.ts';

/** Targets written as `name:tag,tag`. */
function targetsOf(...texts: readonly string[]): { name: string; tags: readonly string[] }[] {
  return texts.map((text) => {
    const [name = '', tags = ''] = text.split(':');
    return { name, tags: tags === '' ? [] : tags.split(',') };
  });
}

function namesFor(targets: ReturnType<typeof targetsOf>, header?: string | readonly string[]): string {
  return eligibleTargets(targets)(header)
    .map(({ name }) => name)
    .join(' ');
}

const PLAIN = targetsOf('a', 'b');
const TAGGED = targetsOf('a:eu', 'b:us,gdpr', 'c:eu,default', 'd');
const NO_DEFAULT = targetsOf('a:eu', 'b:us', 'c');

describe('x-aisix-routing-tags', () => {
  it.each([
    ['all, where no target has tags', PLAIN, undefined, 'a b'],
    ['all, where no target has tags, whatever is asked for', PLAIN, 'eu', 'a b'],
    ['the ones with the tag, in their order', TAGGED, 'eu', 'a c'],
    ['the ones with any of the tags', TAGGED, 'gdpr,eu', 'a b c'],
    ['the ones with the tag, whatever blanks are around it', TAGGED, '  us  ,', 'b'],
    ['the ones with a tag that comes twice, once', TAGGED, 'us,us,gdpr', 'b'],
    ['the default ones, where no target has the tag', TAGGED, 'asia', 'c'],
    ['the default ones by their name', TAGGED, 'default', 'c'],
    ['the default ones, where letter case differs', TAGGED, 'EU', 'c'],
    ['none, where no target has the tag and none is a default', NO_DEFAULT, 'asia', ''],
    ['the default ones, where no tag is asked for', TAGGED, undefined, 'c'],
    ['the default ones for a header of commas and blanks', TAGGED, ' , ,, ', 'c'],
    ['the default ones for an empty header', TAGGED, '', 'c'],
    ['all, where no tag is asked for and none is a default', NO_DEFAULT, undefined, 'a b c'],
    ['the ones with any tag of several headers', TAGGED, ['us', 'eu'], 'a b c'],
    ['the default ones for a tag that is a member of every object', TAGGED, 'constructor', 'c'],
  ])('leaves %s', (_title, targets, header, expected) => {
    expect(namesFor(targets, header)).toBe(expected);
  });

  it('costs the usual request nothing: it gets the very list there is', () => {
    expect(eligibleTargets(PLAIN)('eu')).toBe(PLAIN);
    expect(eligibleTargets(NO_DEFAULT)(undefined)).toBe(NO_DEFAULT);
  });
});
