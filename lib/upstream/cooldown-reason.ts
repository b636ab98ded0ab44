import type { LoadedCooldown } from '../config/loaded-model-router.ts';
import type { Failure, Outcome } from './outcome.ts';

/** Why a target cools down, as a status page says it. */
export type CooldownReason =
  | 'upstream_rate_limited'
  | 'upstream_auth_failure'
  | 'upstream_request_timeout'
  | 'upstream_server_error'
  | 'upstream_in_band_error'
  | 'upstream_decode_error'
  | 'request_timeout'
  | 'transport_error'
  | `upstream_status_${number}`;

interface Trigger {
  /** What switches it. */
  readonly rule: 'triggerOnTimeout' | 'triggerOnTransport';
  readonly reason: CooldownReason;
}

const transport: Trigger = { rule: 'triggerOnTransport', reason: 'transport_error' };

/** By kind of failure; `undefined` where it is not the target's fault. */
const TRIGGERS: Readonly<Record<Failure['kind'], Trigger | undefined>> = {
  'timed-out': { rule: 'triggerOnTimeout', reason: 'request_timeout' },
  refused: transport,
  reset: transport,
  invalid: transport,
  undecodable: { rule: 'triggerOnTransport', reason: 'upstream_decode_error' },
  'no-credentials': undefined,
  'unresolved-credentials': undefined,
  'too-large': undefined,
  'too-long': undefined,
  aborted: undefined,
};

/** What an error inside a stream counts as where nothing that it says is known. */
const UNKNOWN_ERROR_STATUS = 500;

/** `undefined` where such a failure benches nobody by these rules. */
export function reasonOfFailure(kind: Failure['kind'], rules: LoadedCooldown): CooldownReason | undefined {
  const trigger = TRIGGERS[kind];
  return trigger !== undefined && rules[trigger.rule] ? trigger.reason : undefined;
}

/** Why an answer that benches its target does so. */
export function reasonOfAnswer({ head, status }: Extract<Outcome, { kind: 'answered' }>): CooldownReason {
  if (status === 429) return 'upstream_rate_limited';
  if (status === 401) return 'upstream_auth_failure';
  if (status === 408) return 'upstream_request_timeout';
  if (head.status !== status && status === UNKNOWN_ERROR_STATUS) return 'upstream_in_band_error';
  return status >= 500 ? 'upstream_server_error' : `upstream_status_${status}`;
}
