import type { Outcome } from '../upstream/outcome.ts';

/** Which failures of a target another try may mend. */
export interface RetryRules {
  readonly on429: boolean;
  /** Further statuses. */
  readonly statuses: ReadonlySet<number>;
}

const OTHER_FAILURES = {
  'timed-out': true,
  refused: true,
  reset: true,
  invalid: true,
  undecodable: true,
  'no-credentials': false,
  'unresolved-credentials': true,
  'too-large': false,
  'too-long': false,
  aborted: false,
} satisfies Record<Exclude<Outcome['kind'], 'answered'>, boolean>;

/** Whether a request may be sent again, to the same target or another, after this outcome. A success is no failure. */
export function isRetryable(outcome: Outcome, { on429, statuses }: RetryRules): boolean {
  if (outcome.kind !== 'answered') return OTHER_FAILURES[outcome.kind];
  const { status } = outcome;
  return status >= 400 && (statuses.has(status) || (status === 429 ? on429 : status >= 500));
}
