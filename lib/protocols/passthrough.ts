import { openaiEndUser } from './end-user.ts';
import { isObject } from './json.ts';
import { openaiErrorAnswer, openaiErrorEvent } from './openai-errors.ts';
import { readOpenaiUsage } from './openai-usage.ts';
import type { Protocol } from './protocol.ts';

/** Anything else: sent on as it is, and counted where it happens to report usage as OpenAI does. */
export const passthrough: Protocol = {
  name: 'passthrough',
  streams: true,
  usageOnRequest: false,
  endUserId: openaiEndUser,
  contentMember: 'input',
  rawUsage: (json) => (isObject(json.usage) ? json.usage : undefined),
  readUsage: readOpenaiUsage,
  toolCallToken: '"tool_calls"',
  hasToolCall: () => false,
  text: () => '',
  errorAnswer: openaiErrorAnswer,
  errorEvent: openaiErrorEvent,
};
