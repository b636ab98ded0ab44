import type { ServerResponse } from 'node:http';
import type { Ending, Exchange } from '../exchange.ts';
import { isObject } from '../protocols/json.ts';
import { countElements, type JsonDocument, readMember, readSmallMember } from '../request/json-document.ts';

/** The variables by Apache APISIX's names, and this package's own after them, with their values before a request. */
const DEFAULTS = {
  request_type: 'traditional_http',
  request_llm_model: '',
  llm_model: '',
  llm_time_to_first_token: 0,
  llm_prompt_tokens: 0,
  llm_completion_tokens: 0,
  llm_total_tokens: 0,
  llm_stream: false,
  llm_has_tool_calls: false,
  llm_tool_count: 0,
  llm_end_user_id: '',
  llm_cache_read_input_tokens: 0,
  llm_cache_creation_input_tokens: 0,
  llm_reasoning_tokens: 0,
  llm_upstream_response_time: 0,
  llm_instance: '',
  llm_provider: '',
  llm_attempts: [],
  llm_outcome: '',
  llm_usage_source: 'none',
} as const;

/** Present only where `logging` asks for them. */
const LOGGED = ['llm_summary', 'llm_request', 'llm_response_text'] as const;

export const variableNames: readonly string[] = [...Object.keys(DEFAULTS), ...LOGGED];

/** What the client's body says, noted before the body is let go. */
export function noteRequest(exchange: Exchange, document: JsonDocument): void {
  const { locals, protocol, plan } = exchange;
  const model = readSmallMember(document, 'model');
  locals.request_llm_model = typeof model === 'string' ? model : '';
  locals.llm_tool_count = countElements(document, 'tools');
  locals.llm_end_user_id = protocol.endUserId(document) ?? '';
  if (plan.logging.payloads) {
    locals.llm_request = {
      messages: readMember(document, protocol.contentMember),
      stream: readSmallMember(document, 'stream') === true,
    };
  }
}

function noteUsage({ locals, tally, consumption }: Exchange): void {
  const usage = consumption?.usage;
  locals.llm_usage_source = consumption?.source ?? DEFAULTS.llm_usage_source;
  locals.llm_prompt_tokens = usage?.promptTokens ?? 0;
  locals.llm_completion_tokens = usage?.completionTokens ?? 0;
  locals.llm_total_tokens = usage?.totalTokens ?? 0;
  locals.llm_cache_read_input_tokens = usage?.cacheReadInputTokens ?? 0;
  locals.llm_cache_creation_input_tokens = usage?.cacheCreationInputTokens ?? 0;
  locals.llm_reasoning_tokens = usage?.reasoningTokens ?? 0;
  locals.llm_has_tool_calls = tally?.hasToolCalls ?? false;
}

/** The `llm_*` names less their prefix, as APISIX's summary has them. */
function summary({ locals }: Exchange): Record<string, unknown> {
  return {
    request_model: locals.request_llm_model,
    model: locals.llm_model,
    duration: locals.llm_time_to_first_token,
    prompt_tokens: locals.llm_prompt_tokens,
    completion_tokens: locals.llm_completion_tokens,
    total_tokens: locals.llm_total_tokens,
    upstream_response_time: locals.llm_upstream_response_time,
    stream: locals.llm_stream,
    tool_count: locals.llm_tool_count,
    has_tool_calls: locals.llm_has_tool_calls,
    end_user_id: locals.llm_end_user_id,
    cache_read_input_tokens: locals.llm_cache_read_input_tokens,
    cache_creation_input_tokens: locals.llm_cache_creation_input_tokens,
    reasoning_tokens: locals.llm_reasoning_tokens,
  };
}

/** Sets every variable, once, when the request has ended. Times are whole milliseconds. */
export function setVariables(exchange: Exchange, ending: Ending): void {
  const { locals, instance, current, plan } = exchange;
  locals.request_type = exchange.streams ? 'ai_stream' : 'ai_chat';
  locals.request_llm_model ??= DEFAULTS.request_llm_model;
  locals.llm_tool_count ??= DEFAULTS.llm_tool_count;
  locals.llm_end_user_id ??= DEFAULTS.llm_end_user_id;
  locals.llm_stream = exchange.streams;
  locals.llm_instance = instance?.name ?? '';
  locals.llm_provider = instance?.provider ?? '';
  locals.llm_model = instance?.model ?? locals.request_llm_model;
  locals.llm_time_to_first_token = Math.round(current?.firstTokenMs ?? 0);
  locals.llm_upstream_response_time = Math.round(current?.durationMs ?? 0);
  locals.llm_attempts = exchange.attempts;
  locals.llm_outcome = ending;
  noteUsage(exchange);
  if (plan.logging.summaries) locals.llm_summary = summary(exchange);
  if (plan.logging.payloads) locals.llm_response_text = { content: exchange.tally?.text ?? '' };
}

/**
 * Every variable of a response that the gateway answered, by name; the values before a request where it did not.
 *
 * @param res a response, finished or not: anything with `locals`
 */
export function llmVariables(res: ServerResponse | { locals?: unknown }): Record<string, unknown> {
  const locals = 'locals' in res && isObject(res.locals) ? res.locals : {};
  const variables: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(DEFAULTS)) {
    // A list of its own for each response: whoever gets it may write to it.
    variables[name] = locals[name] ?? (typeof value === 'object' ? [] : value);
  }
  for (const name of LOGGED) if (locals[name] !== undefined) variables[name] = locals[name];
  return variables;
}
