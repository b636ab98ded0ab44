import { openaiEndUser } from './end-user.ts';
import { isObject } from './json.ts';
import { openaiErrorAnswer, openaiErrorEvent } from './openai-errors.ts';
import { readOpenaiUsage } from './openai-usage.ts';
import type { Protocol } from './protocol.ts';

/** Embeddings (platform.openai.com/docs/api-reference/embeddings): never streamed, no text, no tools. */
export const openaiEmbeddings: Protocol = {
  name: 'openai-embeddings',
  streams: false,
  usageOnRequest: false,
  reportsEarly: false,
  endUserId: openaiEndUser,
  contentMember: 'input',
  rawUsage: (json) => (isObject(json.usage) ? json.usage : undefined),
  readUsage: readOpenaiUsage,
  modelHolder: undefined,
  toolCallToken: '"tool_calls"',
  hasToolCall: () => false,
  text: () => '',
  errorAnswer: openaiErrorAnswer,
  errorEvent: openaiErrorEvent,
};
