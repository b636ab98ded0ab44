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

/** What `onFinish` receives: the request's `llm_*` variables and how it ended. */
export type FinishRecord = Readonly<Record<string, unknown>>;

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
