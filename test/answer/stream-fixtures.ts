import { readFileSync } from 'node:fs';
import type { Usage } from '../../lib/protocols/protocol.ts';

/** A recorded stream and what is to be read out of it. */
export interface StreamFixture {
  readonly name: string;
  readonly protocol: 'openai-chat' | 'anthropic-messages' | 'openai-responses';
  readonly usage: Usage;
  readonly hasToolCalls: boolean;
  readonly content: string;
  /** The event that `include_usage` adds, as its index; `undefined` where usage comes in another event. */
  readonly usageOnly?: number;
}

function usage(promptTokens: number, completionTokens: number, more: Partial<Usage> = {}): Usage {
  return {
    promptTokens,
    completionTokens,
    totalTokens: promptTokens + completionTokens,
    cacheReadInputTokens: 0,
    cacheCreationInputTokens: 0,
    reasoningTokens: 0,
    ...more,
  };
}

export const fixtures: readonly StreamFixture[] = [
  {
    name: 'openai-chat-usage',
    protocol: 'openai-chat',
    usage: usage(19, 10, { cacheReadInputTokens: 4, reasoningTokens: 3 }),
    hasToolCalls: false,
    content: 'Hello "usage": none\n',
    usageOnly: 4,
  },
  {
    name: 'openai-chat-tools',
    protocol: 'openai-chat',
    usage: usage(82, 17),
    hasToolCalls: true,
    content: '',
    usageOnly: 4,
  },
  {
    name: 'deepseek-chat',
    protocol: 'openai-chat',
    usage: usage(9, 2, { cacheReadInputTokens: 5 }),
    hasToolCalls: false,
    content: 'Hi!',
  },
  {
    name: 'vllm-chat',
    protocol: 'openai-chat',
    usage: usage(31, 3),
    hasToolCalls: false,
    content: 'Sure.',
    usageOnly: 3,
  },
  {
    name: 'openrouter-chat',
    protocol: 'openai-chat',
    usage: usage(12, 4),
    hasToolCalls: false,
    content: 'One two',
  },
  {
    name: 'cjk-emoji-chat',
    protocol: 'openai-chat',
    usage: usage(7, 21),
    hasToolCalls: false,
    content: '你好,世界👩‍👩‍👧 ça va — 𠜎',
    usageOnly: 2,
  },
  {
    name: 'multi-line-data-chat',
    protocol: 'openai-chat',
    usage: usage(5, 1),
    hasToolCalls: false,
    content: 'Hi',
    usageOnly: 2,
  },
  {
    name: 'no-done-chat',
    protocol: 'openai-chat',
    usage: usage(3, 1),
    hasToolCalls: false,
    content: 'Hi',
    usageOnly: 1,
  },
  {
    name: 'malformed-chat',
    protocol: 'openai-chat',
    usage: usage(3, 2),
    hasToolCalls: false,
    content: 'Hi',
    usageOnly: 5,
  },
  {
    name: 'anthropic-messages',
    protocol: 'anthropic-messages',
    usage: usage(472, 89, { cacheReadInputTokens: 50, cacheCreationInputTokens: 100 }),
    hasToolCalls: true,
    content: 'Okay, let me check.',
  },
  {
    name: 'openai-responses',
    protocol: 'openai-responses',
    usage: usage(37, 11, { cacheReadInputTokens: 8, reasoningTokens: 6 }),
    hasToolCalls: true,
    content: 'Hi',
  },
];

/** How a server may spell its line ends, the last of them included. */
export const spellings = {
  LF: ['\n'],
  CRLF: ['\r\n'],
  CR: ['\r'],
  // A CR may not stand right before an LF: the two would be one line end.
  'mixed line ends': ['\r\n', '\n', '\r'],
} as const satisfies Record<string, readonly string[]>;

export type Spelling = keyof typeof spellings;

/** A fixture's events as they are on the wire. */
export function eventsOf(name: string, spelling: Spelling = 'LF'): readonly Buffer[] {
  const text = readFileSync(new URL(`../fixtures/streams/${name}.sse`, import.meta.url), 'utf8');
  const ends = spellings[spelling];
  let line = 0;
  return text
    .split(/(?<=\n\n)/)
    .map((event) => Buffer.from(event.replaceAll('\n', () => ends[line++ % ends.length] ?? '\n')));
}

export function bytesOf(name: string, spelling: Spelling = 'LF'): Buffer {
  return Buffer.concat(eventsOf(name, spelling));
}

/** The stream as a client gets it that did not ask for usage. */
export function withoutUsageEvent({ name, usageOnly }: StreamFixture, spelling: Spelling = 'LF'): Buffer {
  return Buffer.concat(eventsOf(name, spelling).filter((_, index) => index !== usageOnly));
}
