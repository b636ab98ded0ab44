import { describe, expect, it } from 'vitest';
import { modelRename, renameInEvents } from '../../lib/answer/model-name.ts';
import { protocols } from '../../lib/protocols/index.ts';
import type { ProtocolName } from '../../lib/protocols/protocol.ts';

function renamed(text: string, protocol: ProtocolName = 'openai-chat', name = 'alias'): string {
  return renameInEvents(Buffer.from(text), 0, modelRename(protocols[protocol], name)).toString();
}

/** The same text with every `<x>` left out, and with every `<x>` as the alias. */
function pair(marked: string): [string, string] {
  return [marked.replaceAll(/<(\w+)>/g, '"$1"'), marked.replaceAll(/<\w+>/g, '"alias"')];
}

const long = 'x'.repeat(1000);

describe('the name of the model in an event', () => {
  it.each([
    'data: {"id":"1","model":<m>,"choices":[]}\n\n',
    'data:{"model":<m>}\n\n',
    'data: \t{ "model"\t:  <m> }\n\n',
    'data: {"model":<m>}',
    'data: {"model":<m>',
    'id: 7\nevent: chunk\ndata: {"model":<m>}\nretry: 1\n\n',
    'data: {"a":{"b":[{"c":1}]},"d":"}{\\"","model":<m>}\n\n',
    `data: {"choices":[{"delta":{"content":"${long}"}}],"model":<m>}\n\n`,
    'data: {"choices":[{"delta":{"content":"世界👩‍👩‍👧"}}],"model":<m>}\n\n',
    'data: {"model":<m>,"x":1}\n\ndata: {"model":<n>}\n\ndata: [DONE]\n\n',
    'data: {"model":<m>}\r\n\r\ndata: {"model":<n>}\r\n\r\n',
    'data: {"model":<m>}\r\rdata: {"model":<n>}\r\r',
    'data: {"model":<m>}\r\n\rdata: {"model":<n>}\n\r\ndata: {"model":<o>}\r\n\n',
    '\n\ndata: {"model":<m>}\n\n\n\ndata: {"model":<n>}\n\n',
    ': {"model":"m"}\n\ndata: {"model":<m>}\n\n',
    'data: {"mod\\u0065l":<m>}\n\ndata: {"\\u006D\\u006f\\u0064\\u0065\\u006C":<m>,"model":<m>}\n\n',
    'data: {"model":<m>,"a":"model","model":<n>}\n\n',
    'data: {"a":"\\u0065","model":<m>}\n\n',
  ])('is replaced: %j', (marked) => {
    const [text, expected] = pair(marked);
    expect(renamed(text)).toBe(expected);
  });

  it.each([
    'data: {"id":1,\ndata: "model"\ndata: :\ndata:<m>\ndata: }\n\n',
    'data:\ndata\ndata: {\nid: 4\n: comment\ndata: "model":\r\ndata:   <m>}\n\n',
    'data: {"a":[\rdata: {"model":"m"}],\rdata: "model":<m>}\r\r',
  ])('is replaced where the data is spread over lines: %j', (marked) => {
    const [text, expected] = pair(marked);
    expect(renamed(text)).toBe(expected);
  });

  it.each<[ProtocolName, string]>([
    [
      'anthropic-messages',
      'data: {"type":"message_start","message":{"id":"1","model":<m>,"content":[]}}\n\n',
    ],
    ['anthropic-messages', 'data: {"model":<m>,"message":{"model":<m>},"response":{"model":"m"}}\n\n'],
    ['anthropic-messages', 'data: {"message":{"message":{"model":"m"},"model":<m>},"x":{"model":"m"}}\n\n'],
    ['anthropic-messages', 'data: {"message":[{"model":"m"}],"messages":{"model":"m"},"model":<m>}\n\n'],
    ['anthropic-messages', 'data: {"m\\u0065ssage":{"model":<m>}}\n\n'],
    ['anthropic-messages', 'data: {"message":\ndata: {\ndata: "model":<m>}}\n\n'],
    ['openai-responses', 'data: {"response":{"error":null,"model":<m>,"output":[]},"model":<m>}\n\n'],
    ['openai-responses', 'data: {"message":{"model":"m"},"response":{"tools":[{"model":"m"}]}}\n\n'],
    ['openai-chat', 'data: {"message":{"model":"m"},"response":{"model":"m"},"model":<m>}\n\n'],
    ['openai-embeddings', 'data: {"model":<m>}\n\n'],
    ['passthrough', 'data: {"object":"text_completion","model":<m>,"choices":[{"text":"Hi"}]}\n\n'],
    ['bedrock-converse', 'data: {"model":<m>}\n\n'],
  ])('is replaced where %s puts it, and nowhere else: %j', (protocol, marked) => {
    const [text, expected] = pair(marked);
    expect(renamed(text, protocol)).toBe(expected);
  });

  it('is written as JSON, whatever the caller is named', () => {
    const name = 'a"\\\n\r\u2028é世\ud800';
    const event = renamed('data: {"model":"m"}\n\n', 'openai-chat', name);
    expect(event.slice(6).split(/[\r\n]/)).toEqual([JSON.stringify({ model: name }), '', '']);
  });

  it('is replaced whatever it was', () => {
    expect(renamed('data: {"model":""}\n\ndata: {"model":"a\\"\\u0022}\\\\"}\n\n')).toBe(
      'data: {"model":"alias"}\n\ndata: {"model":"alias"}\n\n',
    );
  });
});

describe('events in which there is nothing to replace', () => {
  it.each([
    '',
    '\n',
    'data: [DONE]\n\n',
    ': "model": "m"\n\n',
    'event: {"model":"m"}\n\n',
    '{"model":"m"}\n\n',
    'data{"model":"m"}\n\n',
    'data: "model"\n\n',
    'data: "model":"m"\n\n',
    'data: ["model", {"model":"m"}]\n\n',
    'data: {"a":"\\"model\\":\\"m\\""}\n\n',
    'data: {"a":["model","m"],"b":{"model":"m"}}\n\n',
    'data: {"Model":"m","models":"m","mode":"m","a model":"m"}\n\n',
    'data: {"\\"model":"m","\\\\u006dodel":"m"}\n\n',
    'data: {"model":null}\n\ndata: {"model":["m"]}\n\ndata: {"model":{"model":"m"}}\n\n',
    'data: {"a":1}{"model":"m"}\n\n',
    'data: {}\n"model":"m"\n\n',
    'data: {"a":1\n\ndata: "model":"m"}\n\n',
    'data: {"a":"\ndata: ","model":"m"}\n\n',
    'data: {"a":"\\x","model":"m"}\n\n',
    'data: {"model"}\n\ndata: {"model":}\n\ndata: {"model":"m\n\ndata: {"model\n\n',
    'data: {"model":"alias"}\n\n',
    'data: {"model":"\\u0061li\\u0061s"}\n\n',
  ])('come back as the same buffer: %j', (text) => {
    const bytes = Buffer.from(text);
    const rename = modelRename(protocols['openai-chat'], 'alias');
    expect(renameInEvents(bytes, 0, rename)).toBe(bytes);
  });

  it('do not keep others from being renamed', () => {
    const [text, expected] = pair(
      'data: {"a":"\\x","model":"m"}\n\ndata: {"model":"m\n\ndata: [{"model":"m"}]\n\ndata: {"model":<m>}\n\n',
    );
    expect(renamed(text)).toBe(expected);
  });
});

describe('a byte-order mark before the events', () => {
  it('stays, and hides nothing', () => {
    const bytes = Buffer.from('\ufeffdata: {"model":"m"}\n\n');
    const rename = modelRename(protocols['openai-chat'], 'alias');
    expect(renameInEvents(bytes, 3, rename).toString()).toBe('\ufeffdata: {"model":"alias"}\n\n');
  });
});
