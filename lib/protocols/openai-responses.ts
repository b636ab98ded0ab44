import { openaiEndUser } from './end-user.ts';
import { isObject, type JsonObject, objectsIn, stringOr, tokenCount } from './json.ts';
import { openaiErrorAnswer } from './openai-errors.ts';
import { totalTokens } from './openai-usage.ts';
import type { Protocol } from './protocol.ts';

/** A plain answer is the response itself; the events of a stream that end it hold it as `response`. */
function responseIn(json: JsonObject): JsonObject {
  return isObject(json.response) ? json.response : json;
}

/** The Responses API (platform.openai.com/docs/api-reference/responses). */
export const openaiResponses: Protocol = {
  name: 'openai-responses',
  streams: true,
  usageOnRequest: false,
  reportsEarly: false,
  endUserId: openaiEndUser,
  contentMember: 'input',
  rawUsage(json) {
    const { usage } = responseIn(json);
    return isObject(usage) ? usage : undefined;
  },
  readUsage(raw) {
    const input = isObject(raw.input_tokens_details) ? raw.input_tokens_details : {};
    const output = isObject(raw.output_tokens_details) ? raw.output_tokens_details : {};
    const promptTokens = tokenCount(raw.input_tokens);
    const completionTokens = tokenCount(raw.output_tokens);
    return {
      promptTokens,
      completionTokens,
      totalTokens: totalTokens(raw, promptTokens + completionTokens),
      cacheReadInputTokens: tokenCount(input.cached_tokens),
      cacheCreationInputTokens: 0,
      reasoningTokens: tokenCount(output.reasoning_tokens),
    };
  },
  modelHolder: 'response',
  toolCallToken: '"function_call"',
  hasToolCall: (json) =>
    objectsIn(responseIn(json).output).some((item) => item.type === 'function_call') ||
    (isObject(json.item) && json.item.type === 'function_call'),
  text(json) {
    if (json.type === 'response.output_text.delta') return stringOr(json.delta, '');
    // The events that close a stream repeat the whole text.
    if (json.type !== undefined) return '';
    return objectsIn(json.output)
      .flatMap((item) => objectsIn(item.content))
      .map((part) => (part.type === 'output_text' ? stringOr(part.text, '') : ''))
      .join('');
  },
  errorAnswer: openaiErrorAnswer,
  errorEvent: (error) =>
    `event: error\ndata: ${JSON.stringify({
      type: 'error',
      code: error.code,
      message: error.message,
      param: null,
      sequence_number: 0,
    })}\n\n`,
};
