import type { LoadedActiveChecks } from '../config/loaded-config.ts';

/** What came of one probe of one address. */
export interface ProbeOutcome {
  /** `none`: it counts neither for nor against health. */
  readonly kind: 'success' | 'http_failure' | 'tcp_failure' | 'timeout' | 'none';
  /** For people: `status 503`, `timeout`, or the code of an error. Nothing of what the other side sent. */
  readonly reason: string;
}

export const timeoutOutcome: ProbeOutcome = { kind: 'timeout', reason: 'timeout' };

/** A probe that was not sent, or whose end nobody waits for any more. */
export const noOutcome: ProbeOutcome = { kind: 'none', reason: 'not probed' };

/** Something answered, but not in HTTP: as in APISIX, this is a bad answer and not a broken connection. */
export const invalidAnswer: ProbeOutcome = { kind: 'http_failure', reason: 'no HTTP answer' };

export function brokenConnection(error: unknown): ProbeOutcome {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return { kind: 'tcp_failure', reason: typeof code === 'string' ? code : 'ECONNRESET' };
}

/** Rates statuses. One in both lists counts as good, one in neither counts for nothing, as in APISIX. */
export function statusRater({
  healthy,
  unhealthy,
}: Pick<LoadedActiveChecks, 'healthy' | 'unhealthy'>): (status: number) => ProbeOutcome {
  const good = new Set(healthy.http_statuses);
  const bad = new Set(unhealthy.http_statuses);
  return (status) => {
    const reason = `status ${status}`;
    if (good.has(status)) return { kind: 'success', reason };
    return { kind: bad.has(status) ? 'http_failure' : 'none', reason };
  };
}
