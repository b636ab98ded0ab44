import { expect, it } from 'vitest';
import { contentCoding } from '../lib/content-coding.ts';

it.each([
  [undefined, undefined],
  ['', undefined],
  [' ', undefined],
  ['identity', undefined],
  [' Identity\t', undefined],
  ['identity,IDENTITY, ', undefined],
  ['gzip', 'gzip'],
  [' GZip ', 'gzip'],
  ['gzip, identity', 'gzip'],
  ['gzip,br', 'gzip, br'],
  ['identity-x', 'identity-x'],
])('the content-encoding %j is the coding %j', (header, coding) => {
  expect(contentCoding({ 'content-encoding': header })).toBe(coding);
});
