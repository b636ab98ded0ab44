import { randomUUID } from 'node:crypto';
import { readPath } from '../read-path.ts';
import { type Answer, type Endpoint, json, type ServerSentEvent, unixTime } from './answer.ts';
import { noModel, openaiErrorEvent, openaiRefusal, requestedModel } from './openai-errors.ts';
import {
  answeringModel,
  type Conversation,
  composeReply,
  composeToolArguments,
  countTokens,
  readConversation,
} from './reply.ts';

interface ToolCall {
  id: string;
  type: 'function';
  function: { name: string; arguments: string };
}

/** A finished answer, before it is told in one piece or as a stream. */
interface Completion {
  pieces: string[];
  content: string | null;
  toolCall?: ToolCall;
  finishReason: 'stop' | 'length' | 'tool_calls';
  completionTokens: number;
}

/** https://platform.openai.com/docs/api-reference/chat */
export const openaiChat: Endpoint = {
  refuse: openaiRefusal,
  errorEvent: openaiErrorEvent,
  answer(body, url): Answer {
    const messages = readPath(body, 'messages');
    const model = requestedModel(readPath(body, 'model'), url);
    if (model === undefined) return noModel;
    if (!Array.isArray(messages)) {
      return openaiRefusal(400, "Missing required parameter: 'messages'.", 'messages');
    }
    const conversation = readConversation(messages);
    const completion = complete(body, conversation);
    const head = {
      id: `chatcmpl-${randomUUID()}`,
      created: unixTime(),
      model: answeringModel(model),
      service_tier: 'default',
      system_fingerprint: 'fp_mock',
    };
    const usage = {
      prompt_tokens: conversation.promptTokens,
      completion_tokens: completion.completionTokens,
      total_tokens: conversation.promptTokens + completion.completionTokens,
      prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
      completion_tokens_details: {
        reasoning_tokens: 0,
        audio_tokens: 0,
        accepted_prediction_tokens: 0,
        rejected_prediction_tokens: 0,
      },
    };
    if (readPath(body, 'stream') !== true) return json(200, wholeAnswer(head, completion, usage));
    const includeUsage = readPath(body, 'stream_options', 'include_usage') === true;
    return { kind: 'stream', events: chunks(head, completion, includeUsage ? usage : undefined) };
  },
};

function complete(body: unknown, conversation: Conversation): Completion {
  const toolCall = callTool(body, conversation);
  if (toolCall) {
    const completionTokens = 10 + countTokens(toolCall.function.arguments);
    return { pieces: [], content: null, toolCall, finishReason: 'tool_calls', completionTokens };
  }
  // OpenAI has renamed the limit; its older models and most compatible servers know the old name only.
  const limit = readPath(body, 'max_completion_tokens') ?? readPath(body, 'max_tokens');
  const { pieces, text, isCut } = composeReply(conversation.lastUserText, limit);
  return { pieces, content: text, finishReason: isCut ? 'length' : 'stop', completionTokens: pieces.length };
}

function callTool(body: unknown, { isUsersTurn, lastUserText }: Conversation): ToolCall | undefined {
  const name = readPath(body, 'tools', 0, 'function', 'name');
  if (typeof name !== 'string' || readPath(body, 'tool_choice') === 'none') return undefined;
  if (!isUsersTurn || !/weather/i.test(lastUserText)) return undefined;
  const parameters = readPath(body, 'tools', 0, 'function', 'parameters');
  return {
    id: `call_${randomUUID().replaceAll('-', '').slice(0, 24)}`,
    type: 'function',
    function: { name, arguments: composeToolArguments(parameters) },
  };
}

function wholeAnswer(head: object, completion: Completion, usage: object): object {
  const message = {
    role: 'assistant',
    content: completion.content,
    refusal: null,
    annotations: [],
    ...(completion.toolCall && { tool_calls: [completion.toolCall] }),
  };
  const choice = { index: 0, message, logprobs: null, finish_reason: completion.finishReason };
  return { ...head, object: 'chat.completion', choices: [choice], usage };
}

/** With `include_usage` each chunk has a `usage`, null but for the last one, which has no choice. */
function chunks(head: object, completion: Completion, usage: object | undefined): ServerSentEvent[] {
  const frame = { ...head, object: 'chat.completion.chunk' };
  const chunk = (delta: object, finishReason: string | null = null): ServerSentEvent => ({
    data: {
      ...frame,
      choices: [{ index: 0, delta, logprobs: null, finish_reason: finishReason }],
      ...(usage && { usage: null }),
    },
  });
  return [
    ...(completion.toolCall
      ? toolDeltas(completion.toolCall)
      : [
          { role: 'assistant', content: '', refusal: null },
          ...completion.pieces.map((content) => ({ content })),
        ]
    ).map((delta) => chunk(delta)),
    chunk({}, completion.finishReason),
    ...(usage ? [{ data: { ...frame, choices: [], usage } }] : []),
    { data: '[DONE]' },
  ];
}

/** The call's name comes first, its arguments in pieces of JSON that only join to something valid. */
function toolDeltas(toolCall: ToolCall): object[] {
  const { name, arguments: whole } = toolCall.function;
  const middle = Math.ceil(whole.length / 2);
  const opening = { index: 0, ...toolCall, function: { name, arguments: '' } };
  return [
    { role: 'assistant', content: null, tool_calls: [opening], refusal: null },
    ...[whole.slice(0, middle), whole.slice(middle)].map((piece) => ({
      tool_calls: [{ index: 0, function: { arguments: piece } }],
    })),
  ];
}
