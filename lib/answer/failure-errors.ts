import type { Failure } from '../upstream/outcome.ts';
import { GatewayError } from './gateway-error.ts';

/** The answer for a failure before anything has been answered. */
export function failureError(failure: Failure): GatewayError {
  switch (failure.kind) {
    case 'refused':
      return new GatewayError(502, 'upstream_unreachable', 'The LLM service could not be reached.');
    case 'no-credentials':
      return new GatewayError(
        502,
        'credentials_unavailable',
        'The credentials for the LLM service are missing.',
      );
    case 'reset':
      return new GatewayError(502, 'upstream_reset', 'The LLM service closed the connection.');
    case 'timed-out':
      return new GatewayError(504, 'upstream_timeout', 'The LLM service did not answer in time.');
    case 'invalid':
      return new GatewayError(502, 'upstream_invalid_answer', 'The LLM service did not answer with HTTP.');
    case 'too-large':
      return new GatewayError(502, 'response_too_large', "The LLM service's answer is too large.");
    case 'too-long':
      return new GatewayError(502, 'stream_too_long', "The LLM service's stream took too long.");
    case 'aborted':
      return new GatewayError(499, 'client_closed_request', 'The client closed the request.');
  }
}

/** What is said at the end of an answer that had begun and cannot be completed. The code is one for all causes. */
export function cutError(failure: Failure): GatewayError {
  const { status, message } = failureError(failure);
  return new GatewayError(status, 'upstream_stream_cut', `The answer is incomplete. ${message}`);
}
