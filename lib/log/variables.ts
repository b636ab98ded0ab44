import type { ServerResponse } from 'node:http';
import type { Ending, Exchange } from '../exchange.ts';
import type { FinishRecord } from '../host.ts';
import { isObject } from '../protocols/json.ts';
import { countElements, type JsonDocument, readMember, readSmallMember } from '../request/json-document.ts';
import { readVariables, summaryOf } from './read-variables.ts';

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
  locals.llm_usage_source = consumption?.source ?? 'none';
  locals.llm_prompt_tokens = usage?.promptTokens ?? 0;
  locals.llm_completion_tokens = usage?.completionTokens ?? 0;
  locals.llm_total_tokens = usage?.totalTokens ?? 0;
  locals.llm_cache_read_input_tokens = usage?.cacheReadInputTokens ?? 0;
  locals.llm_cache_creation_input_tokens = usage?.cacheCreationInputTokens ?? 0;
  locals.llm_reasoning_tokens = usage?.reasoningTokens ?? 0;
  locals.llm_has_tool_calls = tally?.hasToolCalls ?? false;
}

/** Sets every variable, once, when the request has ended. */
export function setVariables(exchange: Exchange, ending: Ending): void {
  const { locals, instance, current, plan } = exchange;
  locals.request_type = exchange.streams ? 'ai_stream' : 'ai_chat';
  locals.request_llm_model ??= '';
  locals.llm_tool_count ??= 0;
  locals.llm_end_user_id ??= '';
  locals.llm_stream = exchange.streams;
  locals.llm_instance = instance?.name ?? '';
  locals.llm_provider = instance?.provider ?? '';
  locals.llm_model = instance?.model ?? locals.request_llm_model;
  locals.llm_time_to_first_token = Math.round(current?.firstTokenMs ?? 0);
  locals.llm_upstream_response_time = Math.round(current?.durationMs ?? 0);
  locals.llm_attempts = exchange.attempts;
  locals.llm_outcome = ending;
  noteUsage(exchange);
  if (plan.logging.summaries) locals.llm_summary = summaryOf(readVariables(locals));
  if (plan.logging.payloads) locals.llm_response_text = { content: exchange.tally?.text ?? '' };
}

/**
 * Every variable of a response that the gateway answered, by name; the values before a request where it did not.
 *
 * @param res a response, finished or not: anything with `locals`
 */
export function llmVariables(res: ServerResponse | { locals?: unknown }): FinishRecord {
  return readVariables('locals' in res && isObject(res.locals) ? res.locals : {});
}
