import type { Instance } from '../plan.ts';
import type { Attempt } from './attempt.ts';
import type { Outcome } from './outcome.ts';

/** One try and what came of it. */
export interface Try {
  readonly instance: Instance;
  readonly outcome: Outcome;
  /** Until the outcome was known. */
  readonly durationMs: number;
  /** `undefined` where nothing could be sent. */
  readonly attempt: Attempt | undefined;
}
