/** Milliseconds over the last five minutes; absent where nothing was measured in them. */
export interface Percentiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

export type HealthState = 'unchecked' | 'healthy' | 'unhealthy';

/** One address of an instance whose host name has several. */
export interface AddressHealth {
  readonly address: string;
  readonly state: HealthState;
  /** What the last probe that changed the state came to, such as `status 503` or `timeout`. */
  readonly reason?: string;
}

/** `unchecked`: no health checks are configured, or none has come to anything yet. It counts as healthy. */
export interface InstanceHealth {
  readonly state: HealthState;
  /** ISO 8601, of the last change; absent where there was none. */
  readonly since?: string;
  /** Why it changed last. */
  readonly reason?: string;
  /** Present where health checks are configured, as soon as the addresses are known. */
  readonly addresses?: readonly AddressHealth[];
}

/** An instance that is passed over while others are there. */
export interface CooldownStatus {
  /** ISO 8601, of its end. */
  readonly until: string;
  /** Such as `upstream_rate_limited`. */
  readonly reason: string;
}

/** What the request that ended last has left of an instance's quota. */
export interface QuotaStatus {
  readonly limit: number;
  readonly remaining: number;
  /** ISO 8601: when the window ends; absent where none has begun. */
  readonly resets_at?: string;
}

/** A failed try. `status` is the LLM's answer's, `error` the gateway's code for what else went wrong. */
export interface LastError {
  /** ISO 8601. */
  readonly at: string;
  readonly status?: number;
  readonly error?: string;
}

/** The state of one instance, as JSON fit for a status page. Counts since the configuration was loaded. */
export interface InstanceStatus {
  readonly name: string;
  readonly provider: string;
  readonly model?: string;
  readonly priority: number;
  readonly weight: number;
  /** Its place among the priorities: instances of tier 0 are tried first. */
  readonly tier: number;
  readonly health: InstanceHealth;
  /** Present while its failures bench it. */
  readonly cooldown?: CooldownStatus;
  /** Of its tier's requests, from 0 to 1: by the weights, and as it has been (absent before the first). */
  readonly share: { readonly configured: number; readonly actual?: number };
  readonly in_flight: number;
  readonly attempts: number;
  readonly answers: Readonly<Record<'2xx' | '3xx' | '4xx' | '5xx', number>>;
  readonly failures: {
    readonly refused: number;
    readonly reset: number;
    readonly timed_out: number;
    readonly other: number;
  };
  /** Requests that left it for the next instance, and that came to it from one. */
  readonly fallbacks: { readonly out: number; readonly in: number };
  /** Requests sent again on a fresh socket, since a pooled one had been closed by the other side. */
  readonly replays: number;
  readonly tokens: { readonly prompt: number; readonly completion: number; readonly total: number };
  /** Absent where no limiter of the route's own has been asked about it. */
  readonly quota?: QuotaStatus;
  /** Of whole attempts that were answered. */
  readonly latency_ms?: Percentiles;
  readonly time_to_first_token_ms?: Percentiles;
  /** The last minutes, oldest first, the one that is not over last: at most 15. */
  readonly minutes: readonly MinuteStatus[];
  readonly last_error?: LastError;
}

/** One minute of an instance. */
export interface MinuteStatus {
  readonly attempts: number;
  readonly errors: number;
  readonly tokens: number;
  /** Mean, in milliseconds; absent where nothing was answered. */
  readonly latency_ms?: number;
}

/** One request that moved on. */
export interface FallbackStatus {
  /** ISO 8601, of its end. */
  readonly at: string;
  /** The tries in their order, as in `llm_attempts`. */
  readonly attempts: readonly {
    readonly instance: string;
    readonly status?: number;
    readonly error?: string;
  }[];
  /** Of the whole request, in milliseconds. */
  readonly duration_ms: number;
}

export interface GatewayStatus {
  readonly in_flight: number;
  /** Ended requests, by `llm_outcome`. */
  readonly requests: Readonly<Record<'complete' | 'cut' | 'client_gone' | 'timeout' | 'rejected', number>>;
  readonly instances: readonly InstanceStatus[];
  /** The last 20 at most, newest first. */
  readonly recent_fallbacks: readonly FallbackStatus[];
}
