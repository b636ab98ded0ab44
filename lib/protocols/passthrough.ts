import { openaiEndUser } from './end-user.ts';
import { isObject, objectsIn, stringOr } from './json.ts';
import { openaiChat } from './openai-chat.ts';
import { openaiErrorAnswer, openaiErrorEvent } from './openai-errors.ts';
import { openaiResponses } from './openai-responses.ts';
import type { Protocol } from './protocol.ts';

/** Anything else: sent on as it is, and counted where it happens to report usage as OpenAI does, or streams. */
export const passthrough: Protocol = {
  name: 'passthrough',
  streams: true,
  usageOnRequest: false,
  reportsEarly: false,
  endUserId: openaiEndUser,
  contentMember: 'input',
  rawUsage: (json) => (isObject(json.usage) ? json.usage : undefined),
  // Images and newer endpoints report by the names of the Responses API.
  readUsage: (raw) => (typeof raw.prompt_tokens === 'number' ? openaiChat : openaiResponses).readUsage(raw),
  modelHolder: undefined,
  toolCallToken: '"tool_calls"',
  hasToolCall: () => false,
  // The old completions (platform.openai.com/docs/api-reference/completions).
  text: (json) =>
    objectsIn(json.choices)
      .map((choice) => stringOr(choice.text, ''))
      .join(''),
  errorAnswer: openaiErrorAnswer,
  errorEvent: openaiErrorEvent,
};
