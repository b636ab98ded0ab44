import type { LoadedActiveChecks } from '../config/loaded-config.ts';
import type { HealthState } from '../status.ts';
import type { ProbeOutcome } from './probe-outcome.ts';

/** How often in a row what has to happen. */
export interface Limits {
  readonly healthy: Pick<LoadedActiveChecks['healthy'], 'successes'>;
  readonly unhealthy: Pick<LoadedActiveChecks['unhealthy'], 'http_failures' | 'tcp_failures' | 'timeouts'>;
}

/** The health of one address, as its probes tell it. */
export interface Threshold {
  /** `unchecked` until a first good probe, or until enough bad ones. */
  readonly state: HealthState;
  /** Counts an outcome. @returns whether the state has changed */
  report(kind: ProbeOutcome['kind']): boolean;
}

/**
 * lua-resty-healthcheck's rules: each kind of failure is counted by itself, a success forgets all of them, any
 * failure forgets the successes, and what counts for nothing forgets nothing.
 */
export function makeThreshold({ healthy, unhealthy }: Limits): Threshold {
  const limits = {
    http_failure: unhealthy.http_failures,
    tcp_failure: unhealthy.tcp_failures,
    timeout: unhealthy.timeouts,
  };
  let failures = { http_failure: 0, tcp_failure: 0, timeout: 0 };
  let successes = 0;
  let state: HealthState = 'unchecked';

  function next(kind: ProbeOutcome['kind']): HealthState {
    if (kind === 'none') return state;
    if (kind === 'success') {
      failures = { http_failure: 0, tcp_failure: 0, timeout: 0 };
      successes++;
      return state !== 'unhealthy' || successes >= healthy.successes ? 'healthy' : state;
    }
    successes = 0;
    failures[kind]++;
    return failures[kind] >= limits[kind] ? 'unhealthy' : state;
  }

  return {
    get state() {
      return state;
    },
    report(kind) {
      const before = state;
      state = next(kind);
      return state !== before;
    },
  };
}
