import { describe, expect, it } from 'vitest';
import { EventReader } from '../../lib/answer/event-reader.ts';
import { Tally } from '../../lib/answer/tally.ts';
import { protocols } from '../../lib/protocols/index.ts';
import { cutEvery, passThrough } from './replay.ts';
import { bytesOf } from './stream-fixtures.ts';

const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };

function event(json: unknown): string {
  return `data: ${JSON.stringify(json)}\n\n`;
}

function withheld(...events: string[]): string {
  const tally = new Tally(protocols['openai-chat'], false);
  return passThrough(new EventReader(tally, true), [Buffer.from(events.join(''))]).toString();
}

describe('a client that did not ask for usage', () => {
  const content = event({ choices: [{ delta: { content: 'Hi' } }] });

  it.each([
    ['usage beside a choice', event({ choices: [{ delta: {} }], usage })],
    ['no choices, and no usage', event({ choices: [], usage: null })],
    ['no choices, and prompt filter results', event({ choices: [], prompt_filter_results: [{}] })],
    ['usage that is no object', event({ choices: [], usage: 3 })],
    ['usage without choices', event({ usage })],
    ['a comment that speaks of usage', ': {"choices":[],"usage":{}}\n\n'],
    ['the end', 'data: [DONE]\n\n'],
  ])('still gets an event with %s', (_, kept) => {
    expect(withheld(content, kept)).toBe(content + kept);
  });

  it('gets nothing of an event that holds usage alone, however it is written', () => {
    const spaced =
      'event: x\nid: 7\ndata: { "usage" :\t{ "prompt_tokens" : 1 },\ndata: "choices" : [ ] }\n\n';
    expect(withheld(content, spaced, content)).toBe(content + content);
  });

  it('gets nothing of several usage events among others in one chunk', () => {
    const only = event({ choices: [], usage });
    expect(withheld(only, content, only, only, content, only)).toBe(content + content);
  });

  it('gets each event as soon as it is whole', () => {
    const reader = new EventReader(new Tally(protocols['openai-chat'], false), true);
    const [first = '', second = ''] = [content.slice(0, 10), content.slice(10)];
    expect(reader.push(Buffer.from(first))).toBeUndefined();
    expect(reader.push(Buffer.from(second + first))?.toString()).toBe(content);
    expect(reader.push(Buffer.from(second))?.toString()).toBe(content);
  });
});

describe('a client that asked for usage', () => {
  it('gets every chunk at once, by reference', () => {
    const reader = new EventReader(new Tally(protocols['openai-chat'], false), false);
    for (const chunk of cutEvery(bytesOf('openai-chat-usage'), 100)) expect(reader.push(chunk)).toBe(chunk);
  });
});

describe('tool calls', () => {
  it.each([
    ['an empty list', { tool_calls: [] }, false],
    ['null', { tool_calls: null }, false],
    ['a finish reason alone', { content: '"tool_calls": [1]' }, false],
    ['a call', { tool_calls: [{ index: 0, function: { name: 'f' } }] }, true],
  ])('are seen in the delta: %s', (_, delta, hasToolCalls) => {
    const tally = new Tally(protocols['openai-chat'], false);
    const text = event({ choices: [{ delta, finish_reason: 'tool_calls' }] });
    passThrough(new EventReader(tally, false), [Buffer.from(text)]);
    expect(tally.hasToolCalls).toBe(hasToolCalls);
  });
});

describe('the boundary behind what has been passed on', () => {
  it.each([
    { withholds: false, chunk: 'data: a\n\ndata: b', atBoundary: false },
    { withholds: true, chunk: 'data: a\n\ndata: b', atBoundary: true },
    { withholds: false, chunk: 'data: a\n\n', atBoundary: true },
    { withholds: true, chunk: `data: ${'x'.repeat(70_000)}`, atBoundary: false },
  ])('counts what the client has, not what is held back (withholding: $withholds)', (boundary) => {
    const reader = new EventReader(new Tally(protocols['openai-chat'], false), boundary.withholds);
    reader.push(Buffer.from(boundary.chunk));
    expect(reader.atBoundary).toBe(boundary.atBoundary);
  });
});
