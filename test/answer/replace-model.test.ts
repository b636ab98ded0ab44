import { describe, expect, it } from 'vitest';
import { replaceModel } from '../../lib/answer/replace-model.ts';
import { protocols } from '../../lib/protocols/index.ts';
import type { ProtocolName } from '../../lib/protocols/protocol.ts';
import { chatAnswer } from '../support/upstream.ts';

function replaced(text: string, protocol: ProtocolName = 'openai-chat'): string | undefined {
  return replaceModel(Buffer.from(text), protocols[protocol], 'alias')?.toString();
}

describe('a plain answer', () => {
  it.each([undefined, 1, '\t'])('has the model of the name asked for (indent %j)', (indent) => {
    const answer = chatAnswer('m', '世界 "model": "m"');
    expect(replaced(JSON.stringify(answer, null, indent))).toBe(
      JSON.stringify({ ...answer, model: 'alias' }, null, indent),
    );
  });

  it.each<[ProtocolName, string, string]>([
    ['anthropic-messages', '{"type":"message","model":"m"}', '{"type":"message","model":"alias"}'],
    [
      'openai-responses',
      '{"output":[{"model":"m"}],"model":"m"}',
      '{"output":[{"model":"m"}],"model":"alias"}',
    ],
    [
      'openai-embeddings',
      '{"data":[{"embedding":[1]}],"model":"m"}',
      '{"data":[{"embedding":[1]}],"model":"alias"}',
    ],
    ['passthrough', ' {"model" : "m"}\n', ' {"model" : "alias"}\n'],
    ['openai-chat', '{"model":"m","model":"n"}', '{"model":"alias","model":"alias"}'],
    ['openai-chat', '{\n\n"mod\\u0065l":\r\n"m"}', '{\n\n"mod\\u0065l":\r\n"alias"}'],
    ['openai-chat', '\ufeff{"model":"m"}', '\ufeff{"model":"alias"}'],
  ])('is renamed in %s: %j', (protocol, text, expected) => {
    expect(replaced(text, protocol)).toBe(expected);
  });

  it.each(['{}', '{"model":null}', '{"model":"alias"}', '{"a":{"model":"m"}}', '{"a":"\\"model\\":"}'])(
    'comes back as the same buffer where there is nothing to replace: %s',
    (text) => {
      const bytes = Buffer.from(text);
      expect(replaceModel(bytes, protocols['openai-chat'], 'alias')).toBe(bytes);
    },
  );

  it.each([
    '',
    ' ',
    'null',
    '[{"model":"m"}]',
    '"model"',
    '{"model":"m"',
    '{"model":"m"}}',
    '{"model":"m",}',
    '{"model":"m","a":"\n"}',
    'data: {"model":"m"}\n\n',
    '<html>',
  ])('is unreadable if it is no JSON object: %j', (text) => {
    expect(replaced(text)).toBeUndefined();
  });

  it('is unreadable if it is not UTF-8', () => {
    const bytes = Buffer.from('{"model":"m","a":"\xff"}', 'latin1');
    expect(replaceModel(bytes, protocols['openai-chat'], 'alias')).toBeUndefined();
  });

  it.each([
    ['a key that is refused in requests', '{"model":"m","a":{"__proto__":1}}'],
    ['a thousand levels', `{"model":"m","a":${'['.repeat(1500)}${']'.repeat(1500)}}`],
    ['ten thousand members', `{"model":"m"${',"a":1'.repeat(10_001)}}`],
  ])('is readable with %s', (_, text) => {
    expect(replaced(text)).toBe(text.replace('"m"', '"alias"'));
  });

  it('is unreadable if such a key stands in what is not JSON', () => {
    expect(replaced('{"model":"m","a":{"__proto__":1}')).toBeUndefined();
  });
});
