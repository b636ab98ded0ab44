import { openaiEndUser } from './end-user.ts';
import { isObject, objectsIn, stringOr } from './json.ts';
import { openaiErrorAnswer, openaiErrorEvent } from './openai-errors.ts';
import { readOpenaiUsage } from './openai-usage.ts';
import type { Protocol } from './protocol.ts';

/** Chat completions (platform.openai.com/docs/api-reference/chat), which most providers speak. */
export const openaiChat: Protocol = {
  name: 'openai-chat',
  streams: true,
  usageOnRequest: true,
  reportsEarly: false,
  endUserId: openaiEndUser,
  contentMember: 'messages',
  rawUsage: (json) => (isObject(json.usage) ? json.usage : undefined),
  readUsage: readOpenaiUsage,
  modelHolder: undefined,
  toolCallToken: '"tool_calls"',
  hasToolCall: (json) =>
    objectsIn(json.choices).some((choice) => {
      const message = choice.delta ?? choice.message;
      return isObject(message) && objectsIn(message.tool_calls).length > 0;
    }),
  text: (json) =>
    objectsIn(json.choices)
      .map((choice) => choice.delta ?? choice.message)
      .map((message) => (isObject(message) ? stringOr(message.content, '') : ''))
      .join(''),
  errorAnswer: openaiErrorAnswer,
  errorEvent: openaiErrorEvent,
};
