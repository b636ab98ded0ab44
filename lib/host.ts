import type { IncomingMessage } from 'node:http';
import type { HealthState } from './status.ts';

/** The four levels used here, in pino's shape: an optional object of plain data, then the message. */
export interface Logger {
  debug(data: object, message: string): void;
  info(data: object, message: string): void;
  warn(data: object, message: string): void;
  error(data: object, message: string): void;
}

/** One try of one request on one instance: the status it answered with, or the code of what went wrong. */
export interface TriedAttempt {
  readonly instance: string;
  readonly status?: number;
  readonly error?: string;
  /** Milliseconds until the outcome was known. */
  readonly duration_ms: number;
}

/** An instance that was passed over, and why. */
export interface SkippedInstance {
  readonly instance: string;
  readonly skipped: string;
}

export type AttemptRecord = TriedAttempt | SkippedInstance;

/** What `logging.summaries` adds: the variables under the names that they have in APISIX's summary. */
export type FinishSummary = {
  readonly request_model: string;
  readonly model: string;
  /** Milliseconds to the first token, as in APISIX. */
  readonly duration: number;
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  /** Milliseconds. */
  readonly upstream_response_time: number;
  readonly stream: boolean;
  readonly tool_count: number;
  readonly has_tool_calls: boolean;
  readonly end_user_id: string;
  readonly cache_read_input_tokens: number;
  readonly cache_creation_input_tokens: number;
  readonly reasoning_tokens: number;
};

/**
 * What `onFinish` receives, and `llmVariables` returns: a request's variables, by Apache APISIX's names as far as it has
 * them. What is not known is '', 0 or false. (A type and no interface, so that it is a record for who wants one.)
 */
export type FinishRecord = {
  /** `traditional_http` where no gateway has answered. */
  readonly request_type: 'ai_chat' | 'ai_stream' | 'traditional_http';
  /** The model that the client asked for. */
  readonly request_llm_model: string;
  readonly llm_model: string;
  /** Whole milliseconds. */
  readonly llm_time_to_first_token: number;
  readonly llm_prompt_tokens: number;
  readonly llm_completion_tokens: number;
  readonly llm_total_tokens: number;
  readonly llm_stream: boolean;
  readonly llm_has_tool_calls: boolean;
  /** How many tools the client offered. */
  readonly llm_tool_count: number;
  readonly llm_end_user_id: string;
  readonly llm_cache_read_input_tokens: number;
  readonly llm_cache_creation_input_tokens: number;
  readonly llm_reasoning_tokens: number;
  /** Whole milliseconds, of the last attempt. */
  readonly llm_upstream_response_time: number;
  /** The one tried last. */
  readonly llm_instance: string;
  readonly llm_provider: string;
  readonly llm_attempts: readonly AttemptRecord[];
  readonly llm_outcome: 'complete' | 'cut' | 'client_gone' | 'timeout' | 'rejected' | '';
  /** Where the numbers of tokens are from. */
  readonly llm_usage_source: 'reported' | 'estimated' | 'none';
  /** With `logging.summaries`. */
  readonly llm_summary?: FinishSummary;
  /** With `logging.payloads`: the body's `messages` or `input`, and whether it asked for a stream. */
  readonly llm_request?: { readonly messages: unknown; readonly stream: boolean };
  /** With `logging.payloads`. */
  readonly llm_response_text?: { readonly content: string };
};

/**
 * An instance that health checks have found down or back, or of which they know nothing any more: `unchecked`, since its
 * addresses have changed, or its checks have ended with an `update()` or `close()`.
 */
export interface HealthChange {
  readonly instance: string;
  readonly state: HealthState;
  /** What the last probe came to, such as `status 503` or `timeout`. */
  readonly reason: string;
  /** The address that the last probe went to; absent where no probe made the difference. */
  readonly address?: string;
}

/** What JSON cannot hold. Every member is optional. */
export interface Host {
  /** Receives warnings and errors. Default: `warn` and `error` go to stderr, a JSON line each. */
  logger?: Logger;
  /**
   * Further variables for `balancer.hash_on` (`vars`, `vars_combinations`) and for rate limiting rules.
   * Asked first, before the built-in ones; `undefined` leaves the name to those.
   */
  vars?: (name: string, req: IncomingMessage) => string | undefined;
  /** Resolves a `$secret://…` reference. Its answers are remembered for five minutes. */
  secret?: (reference: string) => string | Promise<string>;
  /** `true`, or the names, of the client's credential headers to pass on to the LLM. Default: none. */
  forwardHeaders?: boolean | readonly string[];
  /** A response header that names the instance that answered. Default: off. */
  servedByHeader?: string;
  /** Which `priority` number is tried first. Default: `'highest-first'`, as in Apache APISIX. */
  priorityOrder?: 'highest-first' | 'lowest-first';
  /** Called after each attempt. What it throws is logged and changes nothing. */
  onAttempt?: (attempt: TriedAttempt) => void;
  /** Called once when a request has ended. What it throws is logged and changes nothing. */
  onFinish?: (finish: FinishRecord) => void;
  /** Called when the health of an instance has changed. What it throws is logged and changes nothing. */
  onHealth?: (change: HealthChange) => void;
}

function writeLine(level: string, data: object, message: string): void {
  process.stderr.write(`${JSON.stringify({ level, ...data, msg: message })}\n`);
}

/** Warnings and errors to stderr, a JSON line each; the two lower levels are dropped. */
export const stderrLogger: Logger = {
  debug() {},
  info() {},
  warn: (data, message) => writeLine('warn', data, message),
  error: (data, message) => writeLine('error', data, message),
};
