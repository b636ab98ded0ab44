import type { AttemptRecord, FinishRecord } from '../host.ts';

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

function tryOf(attempt: AttemptRecord): FinishedTry | readonly [] {
  return 'skipped' in attempt ? [] : { instance: attempt.instance, status: attempt.status };
}

/** Reads the variables by their names. */
export function readFinish(finish: FinishRecord): FinishedRequest {
  return {
    instance: finish.llm_instance,
    provider: finish.llm_provider,
    requestType: finish.request_type,
    model: finish.llm_model,
    requestedModel: finish.request_llm_model,
    outcome: finish.llm_outcome,
    hasUsage: finish.llm_usage_source !== 'none',
    promptTokens: finish.llm_prompt_tokens,
    completionTokens: finish.llm_completion_tokens,
    responseTimeMs: finish.llm_upstream_response_time,
    timeToFirstTokenMs: finish.llm_time_to_first_token,
    tries: finish.llm_attempts.flatMap(tryOf),
  };
}
