import type { AttemptRecord, FinishRecord, FinishSummary } from '../host.ts';
import { isObject, type JsonObject } from '../protocols/json.ts';

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function number(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}

function wordOf<Word extends string>(value: unknown, words: readonly Word[], otherwise: Word): Word {
  return words.find((word) => word === value) ?? otherwise;
}

function isAttempt(value: unknown): value is AttemptRecord {
  if (!isObject(value) || typeof value.instance !== 'string') return false;
  const { skipped, status, error, duration_ms: durationMs } = value;
  if (skipped !== undefined) return typeof skipped === 'string';
  const isStatus = status === undefined || typeof status === 'number';
  return isStatus && (error === undefined || typeof error === 'string') && typeof durationMs === 'number';
}

const REQUEST_TYPES = ['ai_chat', 'ai_stream'] as const;
const OUTCOMES = ['complete', 'cut', 'client_gone', 'timeout', 'rejected'] as const;
const USAGE_SOURCES = ['reported', 'estimated'] as const;

type Logged = 'llm_summary' | 'llm_request' | 'llm_response_text';

/** Present only where `logging` asks for them. */
const LOGGED = ['llm_summary', 'llm_request', 'llm_response_text'] as const satisfies readonly Logged[];

type Always = Omit<FinishRecord, Logged>;

/** A list of its own for each response: whoever gets it may write to it. */
function attemptsOf(value: unknown): readonly AttemptRecord[] {
  return Array.isArray(value) ? value.filter(isAttempt) : [];
}

function readAlways(locals: JsonObject): Always {
  return {
    request_type: wordOf<Always['request_type']>(locals.request_type, REQUEST_TYPES, 'traditional_http'),
    request_llm_model: text(locals.request_llm_model),
    llm_model: text(locals.llm_model),
    llm_time_to_first_token: number(locals.llm_time_to_first_token),
    llm_prompt_tokens: number(locals.llm_prompt_tokens),
    llm_completion_tokens: number(locals.llm_completion_tokens),
    llm_total_tokens: number(locals.llm_total_tokens),
    llm_stream: locals.llm_stream === true,
    llm_has_tool_calls: locals.llm_has_tool_calls === true,
    llm_tool_count: number(locals.llm_tool_count),
    llm_end_user_id: text(locals.llm_end_user_id),
    llm_cache_read_input_tokens: number(locals.llm_cache_read_input_tokens),
    llm_cache_creation_input_tokens: number(locals.llm_cache_creation_input_tokens),
    llm_reasoning_tokens: number(locals.llm_reasoning_tokens),
    llm_upstream_response_time: number(locals.llm_upstream_response_time),
    llm_instance: text(locals.llm_instance),
    llm_provider: text(locals.llm_provider),
    llm_attempts: attemptsOf(locals.llm_attempts),
    llm_outcome: wordOf<Always['llm_outcome']>(locals.llm_outcome, OUTCOMES, ''),
    llm_usage_source: wordOf<Always['llm_usage_source']>(locals.llm_usage_source, USAGE_SOURCES, 'none'),
  };
}

/** The `llm_*` names less their prefix, as APISIX's summary has them. */
export function summaryOf(variables: Always): FinishSummary {
  return {
    request_model: variables.request_llm_model,
    model: variables.llm_model,
    duration: variables.llm_time_to_first_token,
    prompt_tokens: variables.llm_prompt_tokens,
    completion_tokens: variables.llm_completion_tokens,
    total_tokens: variables.llm_total_tokens,
    upstream_response_time: variables.llm_upstream_response_time,
    stream: variables.llm_stream,
    tool_count: variables.llm_tool_count,
    has_tool_calls: variables.llm_has_tool_calls,
    end_user_id: variables.llm_end_user_id,
    cache_read_input_tokens: variables.llm_cache_read_input_tokens,
    cache_creation_input_tokens: variables.llm_cache_creation_input_tokens,
    reasoning_tokens: variables.llm_reasoning_tokens,
  };
}

/**
 * Reads the variables from `res.locals`, which belongs to the host: what it has made of them is not taken on trust.
 */
export function readVariables(locals: JsonObject): FinishRecord {
  const always = readAlways(locals);
  const { llm_summary: summary, llm_request: request, llm_response_text: answer } = locals;
  return {
    ...always,
    ...(summary !== undefined && { llm_summary: summaryOf(always) }),
    ...(isObject(request) && {
      llm_request: { messages: request.messages, stream: request.stream === true },
    }),
    ...(isObject(answer) && { llm_response_text: { content: text(answer.content) } }),
  };
}

export const variableNames: readonly string[] = [...Object.keys(readAlways({})), ...LOGGED];
