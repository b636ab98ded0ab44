import type { IncomingHttpHeaders } from 'node:http';

/** How a try ended without an answer that could be used. */
export interface Failure {
  /**
   * `no-credentials`: there are none, and `unresolved-credentials`: they could not be had now, so nothing was sent.
   * `refused`: no connection. `reset`: the connection broke. `timed-out`: silence for longer than is allowed, or no
   * whole answer in time. `invalid`: not HTTP, or a head larger than Node takes. `undecodable`: a whole answer that is
   * no JSON object where one is needed. `too-large`, `too-long`: over `max_response_bytes`, `max_stream_duration_ms`.
   * `aborted`: nobody waits for it any more.
   */
  readonly kind:
    | 'no-credentials'
    | 'unresolved-credentials'
    | 'refused'
    | 'reset'
    | 'timed-out'
    | 'invalid'
    | 'undecodable'
    | 'too-large'
    | 'too-long'
    | 'aborted';
  /** For the log: a code such as ECONNREFUSED, never a message, which might quote what was sent. */
  readonly detail: string;
}

export interface AnswerHead {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
}

/** What came of one try, thrown or answered: the one thing that is judged. */
export type Outcome =
  | {
      readonly kind: 'answered';
      readonly head: AnswerHead;
      /** The status it stands for: the head's, or that of an error in the first event of a stream. */
      readonly status: number;
    }
  | Failure;
