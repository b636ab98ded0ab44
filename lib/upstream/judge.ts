import type { LoadedConfig } from '../config/loaded-config.ts';
import type { Plan } from '../plan.ts';
import { failureTable } from './failure-table.ts';
import type { Outcome } from './outcome.ts';

/** Failures that are nobody's turn to mend: the answer broke a limit, or nobody waits for it. */
const FINAL: ReadonlySet<Outcome['kind']> = new Set(['too-large', 'too-long', 'aborted']);

/** The one place that says what counts as a failure and whether a request moves on after it. */
export function makeJudge(config: LoadedConfig): Pick<Plan, 'isFailure' | 'judge'> {
  const { on429, on5xx, statuses } = config.fallback;
  const listed = new Set(statuses);
  const maxRetries = config.max_retries ?? Number.POSITIVE_INFINITY;
  const withinMs = config.retry_on_failure_within_ms ?? Number.POSITIVE_INFINITY;

  function isFailure(status: number): boolean {
    return (on429 && status === 429) || (on5xx && status >= 500) || listed.has(status);
  }

  return {
    isFailure,
    judge(tries, outcome, durationMs) {
      if (FINAL.has(outcome.kind)) return 'answer';
      const status = outcome.kind === 'answered' ? outcome.status : failureTable[outcome.kind].status;
      if (!isFailure(status) || tries > maxRetries || durationMs > withinMs) return 'answer';
      return 'next';
    },
  };
}
