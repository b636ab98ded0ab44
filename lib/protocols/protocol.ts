import type { GatewayError } from '../answer/gateway-error.ts';
import type { JsonDocument } from '../request/json-document.ts';
import type { JsonObject } from './json.ts';

export type ProtocolName =
  | 'openai-chat'
  | 'openai-responses'
  | 'openai-embeddings'
  | 'anthropic-messages'
  | 'bedrock-converse'
  | 'passthrough';

/** Tokens of one answer. What the LLM did not report is 0. */
export interface Usage {
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly totalTokens: number;
  readonly cacheReadInputTokens: number;
  readonly cacheCreationInputTokens: number;
  readonly reasoningTokens: number;
}

/**
 * One wire format between client and LLM, as data and small pure functions. `json` is a whole plain answer or
 * the data of one event of a stream: both are asked the same questions.
 */
export interface Protocol {
  readonly name: ProtocolName;
  /** Whether `stream: true` in the body asks for an event stream. */
  readonly streams: boolean;
  /** Whether a stream reports its usage only when `stream_options.include_usage` is true. */
  readonly usageOnRequest: boolean;
  /** Whether a stream begins with a report that says little of the answer's length yet. */
  readonly reportsEarly: boolean;
  /** The person behind the request, where the body names one. */
  endUserId(document: JsonDocument): string | undefined;
  /** What the user said, for `logging.payloads`: the body's `messages` or `input`. */
  readonly contentMember: string;
  /** The usage object as the LLM wrote it. */
  rawUsage(json: JsonObject): JsonObject | undefined;
  readUsage(raw: JsonObject): Usage;
  /**
   * The member of an answer's top level in which the name of the model stands too, as `model`: an event of a stream
   * may hold the answer in it. `undefined` where it only stands at the top level.
   */
  readonly modelHolder: 'message' | 'response' | undefined;
  /** A JSON token without which no tool call can be in the text. */
  readonly toolCallToken: string;
  hasToolCall(json: JsonObject): boolean;
  /** The generated text in it, or ''. */
  text(json: JsonObject): string;
  /** The body of an error answer. */
  errorAnswer(error: GatewayError): JsonObject;
  /** An error event for a stream that has begun, ready to be written. */
  errorEvent(error: GatewayError): string;
}
