import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../lib/answer/gateway-error.ts';
import {
  countElements,
  findMember,
  readMember,
  readSmallMember,
  scanDocument,
} from '../../lib/request/json-document.ts';

function scan(text: string | Buffer) {
  return scanDocument(Buffer.from(text));
}

/** The `code` a body is refused with; `undefined` for one that is taken. */
function refusal(text: string | Buffer): string | undefined {
  try {
    scan(text);
    return undefined;
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    expect(error.status).toBe(400);
    return error.code;
  }
}

/** An object with `levels` containers inside each other, itself included. */
function nested(levels: number, open = '{"a":', close = '}'): string {
  return `{"a":${open.repeat(levels - 2)}[]${close.repeat(levels - 2)}}`;
}

describe('an object', () => {
  it.each([
    '{}',
    ' \t\r\n{ \t\r\n} \t\r\n',
    '{"a":1}',
    '{"":""}',
    '{"a":-0,"b":0.5e+10,"c":1E-7,"d":123456789012345678901234567890}',
    '{"a":true,"b":false,"c":null}',
    '{"a":[],"b":{},"c":[[],[{}],{"d":[1,2]}]}',
    '{"a":"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83D\\ude00\\ud800"}',
    '{"a":"é€😀\u007f\u2028"}',
    '{"constructor":{"prototype":{"x":1}},"proto":1,"_proto_":2,"__proto":3,"a":"__proto__"}',
  ])('is taken: %s', (text) => {
    expect(refusal(text)).toBeUndefined();
    expect(() => JSON.parse(text)).not.toThrow();
  });

  it.each([
    '{',
    '}',
    '{}}',
    '{}{}',
    '{} x',
    '{"a"}',
    '{"a":}',
    '{"a":1,}',
    '{,"a":1}',
    '{"a":1 "b":2}',
    '{"a":1]',
    '{"a":[1}',
    '{"a":[1,]}',
    '{"a":[,1]}',
    '{"a" 1}',
    '{a:1}',
    "{'a':1}",
    '{1:1}',
    '{"a":01}',
    '{"a":+1}',
    '{"a":1.}',
    '{"a":.5}',
    '{"a":1e}',
    '{"a":1e+}',
    '{"a":-}',
    '{"a":0x10}',
    '{"a":NaN}',
    '{"a":Infinity}',
    '{"a":undefined}',
    '{"a":tru}',
    '{"a":True}',
    '{"a":nulll}',
    '{"a":"x}',
    '{"a":"\\x"}',
    '{"a":"\\u12"}',
    '{"a":"\\u12g4"}',
    '{"a":"\\',
    '{"a":1}//x',
    '{"a":/**/1}',
    '\u00a0{"a":1}',
    '{\u2003"a":1}',
    '\ufeff{"a":1}',
    'x',
    '<a/>',
    'a=1&b=2',
  ])('is not what %s is', (text) => {
    expect(refusal(text)).toBe('invalid_json');
    expect(() => JSON.parse(text)).toThrow();
  });

  it.each(Array.from({ length: 0x20 }, (_, code) => code))('may not hold control character %i', (code) => {
    const character = String.fromCharCode(code);
    for (const padding of ['', 'abc', 'abcdefghijk', 'x'.repeat(1000)]) {
      expect(refusal(`{"a":"${padding}${character}${padding}"}`)).toBe('invalid_json');
      expect(refusal(`{"${padding}${character}${padding}":1}`)).toBe('invalid_json');
    }
  });

  it.each(['[]', ' [{"a":1}]', '"text"', '1', '-1.5e3', 'true', 'false', 'null', ' null '])(
    'has to be at the top, not %s',
    (text) => {
      expect(refusal(text)).toBe('body_not_an_object');
    },
  );

  it.each(['', ' ', '\r\n\t '])('is missing in an empty body: %j', (text) => {
    expect(refusal(text)).toBe('empty_body');
  });

  it.each([
    ['a lone continuation byte', [0x80]],
    ['an overlong slash', [0xc0, 0xaf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['a code point beyond Unicode', [0xf4, 0x90, 0x80, 0x80]],
    ['a cut character', [0xe2, 0x82]],
    ['0xff', [0xff]],
  ])('has to be UTF-8: %s is refused', (_what, bytes) => {
    for (const [before, after] of [
      ['{"a":"', '"}'],
      ['{"', '":1}'],
      ['{"a":1}', ''],
    ] as const) {
      expect(refusal(Buffer.concat([Buffer.from(before), Buffer.from(bytes), Buffer.from(after)]))).toBe(
        'invalid_utf8',
      );
    }
  });

  it('in UTF-16 is refused', () => {
    expect(refusal(Buffer.from('{"a":1}', 'utf16le'))).toBe('invalid_json');
  });
});

describe('nesting', () => {
  it.each([
    ['objects', '{"a":', '}'],
    ['arrays', '[', ']'],
  ])('of 1,000 levels of %s is taken, 1,001 are not', (_what, open, close) => {
    expect(refusal(nested(1000, open, close))).toBeUndefined();
    expect(refusal(nested(1001, open, close))).toBe('body_too_deep');
  });

  it('is counted by depth, not by the number of containers', () => {
    expect(refusal(`{"a":[${'[],{},'.repeat(5000)}1]}`)).toBeUndefined();
  });

  it.each([
    ['objects', '{"a":', '}'],
    ['arrays', '[', ']'],
    ['unclosed arrays', '[', ''],
  ])('of 100,000 levels of %s is refused without a crash', (_what, open, close) => {
    expect(refusal(nested(100_000, open, close))).toBe('body_too_deep');
  });

  it('leaves nothing behind for the next body when it is refused', () => {
    expect(refusal(nested(1001, '[', ']'))).toBe('body_too_deep');
    expect(refusal('{"a":[{"b":1}]}')).toBeUndefined();
    expect(refusal('{"a":[{"b":1]}}')).toBe('invalid_json');
  });
});

describe('members', () => {
  it('are found with the bytes of their keys and values', () => {
    const text = ' { "a" : [1, 2] ,\n"b\\u0063": {"x":"}"},"é":"\\"" , "n":-1.5e3\t} ';
    const { bytes, members } = scan(text);
    const slices = members.map(({ key, start, valueStart, valueEnd }) => ({
      key,
      entry: bytes.toString('utf8', start, valueEnd),
      value: bytes.toString('utf8', valueStart, valueEnd),
    }));
    expect(slices).toEqual([
      { key: 'a', entry: '"a" : [1, 2]', value: '[1, 2]' },
      { key: 'bc', entry: '"b\\u0063": {"x":"}"}', value: '{"x":"}"}' },
      { key: 'é', entry: '"é":"\\""', value: '"\\""' },
      { key: 'n', entry: '"n":-1.5e3', value: '-1.5e3' },
    ]);
  });

  it('are those of the top level only', () => {
    const { members } = scan('{"a":{"model":1,"b":[{"model":2}]},"c":[{"model":3}]}');
    expect(members.map((member) => member.key)).toEqual(['a', 'c']);
  });

  it('given twice are there twice, and the last one counts, as for every JSON parser', () => {
    const document = scan('{"model":"first","x":1,"mod\\u0065l":"last"}');
    expect(document.members.map((member) => member.key)).toEqual(['model', 'x', 'model']);
    expect(readMember(document, 'model')).toBe('last');
    expect(findMember(document, 'model')).toBe(document.members[2]);
  });

  it('that are not there read as undefined, inherited names included', () => {
    const document = scan('{"a":null}');
    expect(readMember(document, 'a')).toBeNull();
    for (const name of ['b', '', 'toString', 'constructor', '__proto__']) {
      expect(readMember(document, name)).toBeUndefined();
    }
  });
});

describe('top-level members', () => {
  it.each(['"":0', '"":[{"a":1,"b":2}]'])('may be 10,000, and not one more: %s', (member) => {
    expect(refusal(`{${Array(10_000).fill(member).join()}}`)).toBeUndefined();
    expect(refusal(`{${Array(10_001).fill(member).join()}}`)).toBe('too_many_members');
  });

  it('are those of the top level only', () => {
    expect(refusal(`{"a":{${Array(10_001).fill('"":0').join()}}}`)).toBeUndefined();
  });
});

describe('small members', () => {
  const limit = 64 * 1024;
  it.each([
    { title: 'of 64 KiB', text: 'x'.repeat(limit - 2), isRead: true },
    { title: 'of a byte more', text: 'x'.repeat(limit - 1), isRead: false },
  ])('are read up to 64 KiB: $title', ({ text, isRead }) => {
    const document = scan(JSON.stringify({ before: 'x'.repeat(limit), user: text }));
    expect(readSmallMember(document, 'user')).toBe(isRead ? text : undefined);
    expect(readMember(document, 'user')).toBe(text);
  });

  it('are the last of their name, or undefined', () => {
    const document = scan('{"user":"first","user":{"id":1}}');
    expect(readSmallMember(document, 'user')).toEqual({ id: 1 });
    expect(readSmallMember(document, 'model')).toBeUndefined();
  });
});

describe('the elements of a member', () => {
  it.each([
    ['[]', 0],
    ['[ \n\t]', 0],
    ['[1]', 1],
    ['[ 1 , 2 ]', 2],
    ['[[]]', 1],
    ['[[],[]]', 2],
    ['[[1,2,[3,4]],{"a":[5,6],"b":{"c":7,"d":8}}]', 2],
    ['["a,b","],[","{\\","]', 3],
    ['["\\\\","\\u002c,","\\"]"]', 3],
    ['[{"a,]":"}","b":",["},null,true,-1.5e3]', 4],
    ['{"a":1,"b":2}', 0],
    ['"[1,2]"', 0],
    ['null', 0],
    ['12', 0],
  ])('are counted: %s has %i', (value, count) => {
    expect(countElements(scan(`{"x":[1,2,3,4,5,6], "tools" : ${value} ,"y":[1,2]}`), 'tools')).toBe(count);
  });

  it('are those of the last member of that name', () => {
    expect(countElements(scan('{"tools":[1,2],"tools":[3]}'), 'tools')).toBe(1);
    expect(countElements(scan('{"tools":[1,2]}'), 'tool')).toBe(0);
  });
});

describe('eight megabytes', () => {
  const size = 8 * 1024 * 1024;
  const filled = (unit: string): string => unit.repeat(Math.ceil(size / Buffer.byteLength(unit)));
  it.each([
    ['unicode escapes', `{"a":"${filled('\\u005f')}"}`],
    ['backslashes', `{"a":"${filled('\\\\')}"}`],
    ['escaped quotes', `{"a":"${filled('\\"')}"}`],
    ['empty strings', `{"a":[${filled('"",')}""]}`],
    ['keys that look like __proto__', `{"a":{${filled('"__prot0__":1,')}"b":1}}`],
    ['escaped keys', `{"a":{${filled('"\\u005f\\u005f\\u0070":1,')}"b":1}}`],
    ['white space', `{"a":${filled(' ')}1}`],
    ['one number', `{"a":${filled('1')}}`],
    ['members', `{"a":{${filled('"":0,')}"":0}}`],
    ['characters of three bytes', `{"a":"${filled('語')}"}`],
  ])('of %s are taken', (_what, text) => {
    expect(refusal(text)).toBeUndefined();
  });

  it.each([
    ['an unclosed string', `{"a":"${filled('x')}`],
    ['unclosed escapes', `{"a":"${filled('\\"')}`],
    ['brackets', filled('{"":')],
  ])('of %s are refused', (_what, text) => {
    expect(refusal(text)).toMatch(/^(?:invalid_json|body_too_deep)$/);
  });
});
