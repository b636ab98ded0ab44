import type { GatewayErrorCode } from '../answer/gateway-error.ts';
import type { Failure } from './outcome.ts';

interface FailureMeaning {
  readonly status: number;
  readonly code: GatewayErrorCode;
  /** For the client: nothing of what Node or the upstream said. */
  readonly message: string;
}

const withoutCredentials: FailureMeaning = {
  status: 502,
  code: 'credentials_unavailable',
  message: 'The credentials for the LLM service are missing.',
};

/** What each kind of failure is to the client, before anything has been answered. */
export const failureTable = {
  'no-credentials': withoutCredentials,
  'unresolved-credentials': withoutCredentials,
  refused: { status: 502, code: 'upstream_unreachable', message: 'The LLM service could not be reached.' },
  reset: { status: 502, code: 'upstream_reset', message: 'The LLM service closed the connection.' },
  'timed-out': { status: 504, code: 'upstream_timeout', message: 'The LLM service did not answer in time.' },
  invalid: {
    status: 502,
    code: 'upstream_invalid_answer',
    message: 'The LLM service did not answer with HTTP.',
  },
  undecodable: {
    status: 502,
    code: 'upstream_decode_error',
    message: "The LLM service's answer cannot be read.",
  },
  'too-large': { status: 502, code: 'response_too_large', message: "The LLM service's answer is too large." },
  'too-long': { status: 502, code: 'stream_too_long', message: "The LLM service's stream took too long." },
  aborted: { status: 499, code: 'client_closed_request', message: 'The client closed the request.' },
} satisfies Record<Failure['kind'], FailureMeaning>;
