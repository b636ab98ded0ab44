import { describe, expect, it } from 'vitest';
import { withoutParameters } from '../../lib/upstream/query-parameters.ts';

describe('taking parameters out of a URL', () => {
  const names = ['apikey', 'my key', 'käse', '100%'];

  it.each<[what: string, url: string, left: string]>([
    ['no query', '/v1/models', '/v1/models'],
    ['an empty query', '/v1/models?', '/v1/models?'],
    ['other parameters only', '/a?x=1&y=2', '/a?x=1&y=2'],
    ['the only one', '/a?apikey=s', '/a'],
    ['the first', '/a?apikey=s&x=1', '/a?x=1'],
    ['one in the middle', '/a?x=1&apikey=s&y=2', '/a?x=1&y=2'],
    ['the last', '/a?x=1&apikey=s', '/a?x=1'],
    ['one that is there several times', '/a?apikey=1&x=1&apikey=2&apikey', '/a?x=1'],
    ['one without a value', '/a?apikey&x=1', '/a?x=1'],
    ['one with an empty value', '/a?apikey=&x=1', '/a?x=1'],
    ['one whose value has an equals sign', '/a?apikey=a=b&x=1', '/a?x=1'],
    ['one whose value has a question mark', '/a?apikey=a?b&x=1', '/a?x=1'],
    ['one behind a second question mark, which is its name', '/a??apikey=s', '/a??apikey=s'],
    ['a name written in escapes', '/a?%61pi%6bey=s&x=1', '/a?x=1'],
    ['a name with a space, written as %20', '/a?my%20key=s', '/a'],
    ['a name with a space, written as +', '/a?my+key=s', '/a'],
    ['a name that is not ASCII', '/a?k%C3%A4se=s&x=1', '/a?x=1'],
    ['a name with a broken escape, which stands for itself', '/a?100%=s&x=1', '/a?x=1'],
    ['a broken escape in another name', '/a?%zz=1&apikey=s', '/a?%zz=1'],
    ['a name that only begins alike', '/a?apikey2=s&apike=s', '/a?apikey2=s&apike=s'],
    ['a name in other case, which is another', '/a?APIKEY=s', '/a?APIKEY=s'],
    ['one whose value says the name', '/a?x=apikey', '/a?x=apikey'],
    ['the writing of the others', '/a?x=%7e+%2B&apikey=s&&y=ü', '/a?x=%7e+%2B&&y=ü'],
    ['a URL in absolute form', 'http://llm.test/a?apikey=s&x=1', 'http://llm.test/a?x=1'],
    ['a query without a path', '?apikey=s', ''],
  ])('leaves %s', (_what, url, left) => {
    expect(withoutParameters(url, names)).toBe(left);
  });

  it.each([undefined, []])('leaves everything where there are no names', (none) => {
    expect(withoutParameters('/a?apikey=s&x=1', none)).toBe('/a?apikey=s&x=1');
  });

  it('takes a hundred thousand parameters in its stride', () => {
    const url = `/a?${'apikey=s&x=%zz&'.repeat(50_000)}end`;
    expect(withoutParameters(url, names)).toBe(`/a?${'x=%zz&'.repeat(50_000)}end`);
  });
});
