import type { GatewayError } from '../answer/gateway-error.ts';
import { readSmallMember } from '../request/json-document.ts';
import { isObject, type JsonObject, objectsIn, stringOr, tokenCount } from './json.ts';
import type { Protocol } from './protocol.ts';

/** Anthropic's `type` for a status (docs.anthropic.com/en/api/errors). */
const ERROR_TYPES: ReadonlyMap<number, string> = new Map([
  [400, 'invalid_request_error'],
  [401, 'authentication_error'],
  [403, 'permission_error'],
  [404, 'not_found_error'],
  [408, 'invalid_request_error'],
  [413, 'request_too_large'],
  [415, 'invalid_request_error'],
  [422, 'invalid_request_error'],
  [429, 'rate_limit_error'],
  [503, 'overloaded_error'],
  [504, 'timeout_error'],
]);

function errorAnswer(error: GatewayError): JsonObject {
  return {
    type: 'error',
    error: { type: ERROR_TYPES.get(error.status) ?? 'api_error', message: error.message, code: error.code },
  };
}

/** The Messages API (docs.anthropic.com/en/api/messages and …/messages-streaming). */
export const anthropicMessages: Protocol = {
  name: 'anthropic-messages',
  streams: true,
  usageOnRequest: false,
  reportsEarly: true,
  endUserId(document) {
    const metadata = readSmallMember(document, 'metadata');
    return isObject(metadata) && typeof metadata.user_id === 'string' ? metadata.user_id : undefined;
  },
  contentMember: 'messages',
  // message_start holds it inside `message`, message_delta and a plain answer at the top.
  rawUsage(json) {
    const usage = isObject(json.message) ? json.message.usage : json.usage;
    return isObject(usage) ? usage : undefined;
  },
  readUsage(raw) {
    const promptTokens = tokenCount(raw.input_tokens);
    const completionTokens = tokenCount(raw.output_tokens);
    return {
      promptTokens,
      completionTokens,
      totalTokens: promptTokens + completionTokens,
      cacheReadInputTokens: tokenCount(raw.cache_read_input_tokens),
      cacheCreationInputTokens: tokenCount(raw.cache_creation_input_tokens),
      reasoningTokens: 0,
    };
  },
  modelHolder: 'message',
  toolCallToken: '"tool_use"',
  hasToolCall: (json) =>
    objectsIn(json.content).some((block) => block.type === 'tool_use') ||
    (isObject(json.content_block) && json.content_block.type === 'tool_use'),
  text(json) {
    if (isObject(json.delta)) return stringOr(json.delta.text, '');
    return objectsIn(json.content)
      .map((block) => (block.type === 'text' ? stringOr(block.text, '') : ''))
      .join('');
  },
  errorAnswer,
  errorEvent: (error) => `event: error\ndata: ${JSON.stringify(errorAnswer(error))}\n\n`,
};
