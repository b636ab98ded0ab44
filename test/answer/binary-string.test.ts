import { describe, expect, it } from 'vitest';
import { isBinary } from '../../lib/answer/binary-string.ts';

const image = Buffer.from(Array.from({ length: 3000 }, (_, index) => (index * index * 31) >> 5)).toString(
  'base64',
);
const sentence = 'Please tell me everything that you know about the history of the printing press ';

function isBinaryString(text: string): boolean {
  const json = Buffer.from(JSON.stringify(text));
  return isBinary(json, 1, json.length - 1);
}

describe('a string in a prompt is taken for an image or a file', () => {
  it.each([
    ['base64', image],
    ['base64 for URLs', image.replaceAll('+', '-').replaceAll('/', '_')],
    ['a data URL', `data:image/png;base64,${image}`],
    ['base64 in lines of 64 characters', image.replaceAll(/.{64}/g, '$&\n')],
    ['base64 in lines of 76 characters', image.replaceAll(/.{76}/g, '$&\r\n')],
    ['base64 of English text', Buffer.from(sentence.repeat(50)).toString('base64')],
    ['base64 of nothing but zeros', Buffer.alloc(3000).toString('base64')],
    ['base64 of nothing but ones', Buffer.alloc(3000, 0xff).toString('base64')],
  ])('where it is %s', (_what, text) => {
    expect(isBinaryString(text)).toBe(true);
  });
});

describe('a string in a prompt is taken for text', () => {
  it.each([
    ['begins like base64', image + sentence.repeat(50)],
    ['begins like a data URL', `data:image/png;base64,${image}${sentence}`],
    ['ends like base64', sentence + image],
    ['has one word in the midst of base64', `${image} please ${image}`],
    ['has a comma in base64', `${image},${image}`],
    ['has plus signs for spaces', sentence.repeat(50).replaceAll(' ', '+')],
    ['has slashes for spaces', sentence.repeat(50).replaceAll(' ', '/')],
    ['has a word on each line', sentence.repeat(50).toUpperCase().replaceAll(' ', '\n')],
    ['has no spaces at all', sentence.repeat(50).replaceAll(' ', '')],
    ['is Chinese', '敏捷的棕色狐狸跳过了懒惰的狗'.repeat(100)],
    ['is too short for a file', image.slice(0, 1000)],
  ])('where it %s', (_what, text) => {
    expect(isBinaryString(text)).toBe(false);
  });
});
