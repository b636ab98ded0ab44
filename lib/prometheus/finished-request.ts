import type { FinishRecord } from '../host.ts';
import { isObject } from '../protocols/json.ts';

/** One try of an ended request. */
export interface FinishedTry {
  readonly instance: string;
  readonly status: number | undefined;
}

/** What is counted of an ended request. */
export interface FinishedRequest {
  readonly instance: string;
  readonly provider: string;
  readonly requestType: string;
  readonly model: string;
  readonly requestedModel: string;
  readonly outcome: string;
  /** Whether anybody knows how many tokens there were. */
  readonly hasUsage: boolean;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly responseTimeMs: number;
  readonly timeToFirstTokenMs: number;
  /** Without instances that were passed over. */
  readonly tries: readonly FinishedTry[];
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function number(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}

function readTry(attempt: unknown): FinishedTry | readonly [] {
  if (!isObject(attempt) || typeof attempt.instance !== 'string' || 'skipped' in attempt) return [];
  const { instance, status } = attempt;
  return { instance, status: typeof status === 'number' ? status : undefined };
}

/** Reads the variables by their names. */
export function readFinish(finish: FinishRecord): FinishedRequest {
  const { llm_attempts: attempts } = finish;
  return {
    instance: text(finish.llm_instance),
    provider: text(finish.llm_provider),
    requestType: text(finish.request_type),
    model: text(finish.llm_model),
    requestedModel: text(finish.request_llm_model),
    outcome: text(finish.llm_outcome),
    hasUsage: finish.llm_usage_source !== 'none',
    promptTokens: number(finish.llm_prompt_tokens),
    completionTokens: number(finish.llm_completion_tokens),
    responseTimeMs: number(finish.llm_upstream_response_time),
    timeToFirstTokenMs: number(finish.llm_time_to_first_token),
    tries: Array.isArray(attempts) ? attempts.flatMap(readTry) : [],
  };
}
