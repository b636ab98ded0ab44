import type { Plan } from './plan.ts';

/** The state of one instance, as JSON fit for a status page. Counts since the configuration was loaded. */
export interface InstanceStatus {
  readonly name: string;
  readonly provider: string;
  readonly model?: string;
  readonly priority: number;
  readonly weight: number;
  /** `unchecked`: no health checks are configured. */
  readonly health: 'unchecked';
  readonly in_flight: number;
  readonly attempts: number;
  readonly answers: Readonly<Record<'2xx' | '3xx' | '4xx' | '5xx', number>>;
  readonly failures: { refused: number; reset: number; timed_out: number; other: number };
  /** Requests that left it for the next instance. */
  readonly fallbacks: number;
  /** Requests sent again on a fresh socket, since a pooled one had been closed by the other side. */
  readonly replays: number;
  /** Milliseconds until the first byte of an answer's body; absent before there was one. */
  readonly time_to_first_byte_ms?: { readonly last: number; readonly mean: number };
}

export interface GatewayStatus {
  readonly in_flight: number;
  readonly instances: readonly InstanceStatus[];
}

export function gatewayStatus(plan: Plan, inFlight: number): GatewayStatus {
  return {
    in_flight: inFlight,
    instances: plan.instances.map(({ name, provider, model, priority, weight, counters, transport }) => ({
      name,
      provider,
      ...(model === undefined ? {} : { model }),
      priority,
      weight,
      health: 'unchecked',
      in_flight: counters.inFlight,
      attempts: counters.attempts,
      answers: { ...counters.answers },
      failures: {
        refused: counters.failures.refused,
        reset: counters.failures.reset,
        timed_out: counters.failures.timedOut,
        other: counters.failures.other,
      },
      fallbacks: counters.fallbacks,
      replays: transport.replays,
      ...(counters.lastFirstByteMs === undefined
        ? {}
        : {
            time_to_first_byte_ms: {
              last: Math.round(counters.lastFirstByteMs),
              mean: Math.round(counters.firstByteMsSum / counters.firstByteCount),
            },
          }),
    })),
  };
}
