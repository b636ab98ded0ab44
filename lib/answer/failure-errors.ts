import { failureTable } from '../upstream/failure-table.ts';
import type { Failure } from '../upstream/outcome.ts';
import { GatewayError } from './gateway-error.ts';

/** The answer for a failure before anything has been answered. */
export function failureError({ kind }: Failure): GatewayError {
  const { status, code, message } = failureTable[kind];
  return new GatewayError(status, code, message);
}

/** What is said at the end of an answer that had begun and cannot be completed. The code is one for all causes. */
export function cutError({ kind }: Failure): GatewayError {
  const { status, message } = failureTable[kind];
  return new GatewayError(status, 'upstream_stream_cut', `The answer is incomplete. ${message}`);
}
