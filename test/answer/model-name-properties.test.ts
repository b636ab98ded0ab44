import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { modelRename, renameInEvents } from '../../lib/answer/model-name.ts';
import { replaceModel } from '../../lib/answer/replace-model.ts';
import { splitEvents } from '../../lib/answer/sse.ts';
import { protocols } from '../../lib/protocols/index.ts';
import { isObject, type JsonObject, parseObject } from '../../lib/protocols/json.ts';
import type { ProtocolName } from '../../lib/protocols/protocol.ts';
import { anyText } from '../support/any-character.ts';

/** A text as the upstream writes it, and as the client is to get it. */
interface Pair {
  readonly before: string;
  readonly after: string;
}

const NAME = 'chat-"prod"';

const space = fc.constantFrom('', '', '', ' ', '\t', '\n', '\r\n ', '\r', '\n\n');
const modelKey = fc.constantFrom(
  '"model"',
  '"model"',
  '"mod\\u0065l"',
  '"\\u006dodel"',
  '"\\u006D\\u006Fdel"',
);
const text = fc.oneof(
  anyText(),
  fc.constantFrom('model', '"model"', ',"model":"m"', '\\', '\\u006', 'data: {"model":"m"}', '\n\n', NAME),
);

const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof(
      text,
      fc.integer(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.boolean(),
      fc.constant(null),
    ),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.oneof(fc.constantFrom('model', 'message', 'response'), text), tie('value'), {
      maxKeys: 3,
    }),
  ),
}));

const valueText = fc
  .tuple(value, fc.constantFrom(0, 1, '\t'))
  .map(([json, indent]) => JSON.stringify(json, null, indent));

/** A member of another name than those that mean something. */
const otherMember = fc.tuple(
  fc.oneof(fc.constantFrom('Model', 'models', 'choices', 'model ', ''), text).filter((key) => {
    return key !== 'model' && key !== 'message' && key !== 'response';
  }),
  valueText,
);

function same(before: string): Pair {
  return { before, after: before };
}

function spaced(key: string, spaces: readonly string[], { before, after }: Pair): Pair {
  const [first = '', second = '', third = '', fourth = ''] = spaces;
  const lead = `${first}${key}${second}:${third}`;
  return { before: lead + before + fourth, after: lead + after + fourth };
}

function objectOf(members: readonly Pair[]): Pair {
  const inner = (which: keyof Pair): string => members.map((member) => member[which]).join(',');
  return { before: `{${inner('before')}}`, after: `{${inner('after')}}` };
}

const spaces = fc.tuple(space, space, space, space);

/** Members of an object, whose model is to be replaced or to be left. */
function membersOf(isRenamed: boolean): fc.Arbitrary<Pair[]> {
  const name = text.map((old) => ({
    before: JSON.stringify(old),
    after: JSON.stringify(isRenamed ? NAME : old),
  }));
  const notAString = fc.constantFrom('null', '7', '["m"]', '{"model":"m"}').map(same);
  const model = fc
    .tuple(modelKey, spaces, fc.oneof({ weight: 3, arbitrary: name }, notAString))
    .map(([key, around, pair]) => spaced(key, around, pair));
  const other = fc
    .tuple(otherMember, spaces)
    .map(([[key, json], around]) => spaced(JSON.stringify(key), around, same(json)));
  return fc.array(fc.oneof(model, other), { maxLength: 4 });
}

/** An answer in which some objects hold the model. */
function answerIn(protocol: ProtocolName): fc.Arbitrary<Pair> {
  const holder = protocols[protocol].modelHolder;
  const held = fc
    .constantFrom('message', 'response')
    .chain((key) =>
      fc
        .tuple(membersOf(key === holder), spaces)
        .map(([members, around]) => spaced(`"${key}"`, around, objectOf(members))),
    );
  return fc
    .tuple(membersOf(true), fc.array(held, { maxLength: 2 }), membersOf(true))
    .map(([front, middle, back]) => objectOf([...front, ...middle, ...back]));
}

const LINE_END = /\r\n|\n|\r/g;

/** An event whose data goes on in another line wherever the JSON does. */
function eventOf(json: string, lineEnd: string): string {
  return `data: ${json.replaceAll(LINE_END, () => `${lineEnd}data:`)}${lineEnd}${lineEnd}`;
}

const names = ['openai-chat', 'anthropic-messages', 'openai-responses', 'passthrough'] as const;

describe.each(names)('any JSON around the name of the model, in %s', (protocol) => {
  it('is kept to the byte in a plain answer', () => {
    fc.assert(
      fc.property(answerIn(protocol), space, ({ before, after }, around) => {
        const bytes = Buffer.from(around + before + around);
        const replaced = replaceModel(bytes, protocols[protocol], NAME);
        expect(replaced?.toString()).toBe(around + after + around);
        expect(replaced === bytes).toBe(before === after);
        expect(JSON.parse(String(replaced))).toEqual(JSON.parse(after));
      }),
      { numRuns: 300 },
    );
  });

  it('is kept to the byte in the events of a stream', () => {
    const lineEnd = fc.constantFrom('\n', '\r\n', '\r');
    const answers = fc.array(answerIn(protocol), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(answers, lineEnd, (pairs, end) => {
        const streamOf = (which: keyof Pair): string =>
          pairs.map((pair) => eventOf(pair[which], end)).join(`: "model"${end}${end}`);
        const bytes = Buffer.from(streamOf('before'));
        const replaced = renameInEvents(bytes, 0, modelRename(protocols[protocol], NAME));
        expect(replaced.toString()).toBe(streamOf('after'));
        expect(replaced === bytes).toBe(streamOf('before') === streamOf('after'));
      }),
      { numRuns: 300 },
    );
  });
});

describe('bytes of any kind', () => {
  const pieces = fc.constantFrom(
    ...[
      'data: ',
      'data: {',
      'data',
      '{',
      '}',
      '}\n\n',
      '[',
      ']',
      '"model"',
      ':',
      '"m"',
      ',',
      '"',
      '\\',
      '\\u006d',
    ],
    ...['"model":"m"', '"message":{', '"model":"m"}\r\n\r\n', '\n', '\r', '\n\n', ' ', 'x', '\ufeff', 'é'],
  );

  function parsed(bytes: Buffer): (JsonObject | undefined)[] {
    return splitEvents(bytes.toString()).map(({ data }) => parseObject(data ?? ''));
  }

  function expected(json: JsonObject | undefined): JsonObject | undefined {
    if (json === undefined) return undefined;
    const message = isObject(json.message) ? withName(json.message) : json.message;
    return withName('message' in json ? { ...json, message } : json);
  }

  function withName(json: JsonObject): JsonObject {
    return typeof json.model === 'string' ? { ...json, model: NAME } : json;
  }

  it('are renamed wherever they happen to be events of JSON', () => {
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 60 }), (list) => {
        const bytes = Buffer.from(list.join(''));
        const replaced = renameInEvents(bytes, 0, modelRename(protocols['anthropic-messages'], NAME));
        const [before, after] = [parsed(bytes), parsed(replaced)];
        expect(after).toHaveLength(before.length);
        before.forEach((json, index) => {
          if (json !== undefined) expect(after[index]).toEqual(expected(json));
        });
      }),
      { numRuns: 3000 },
    );
  });
});
