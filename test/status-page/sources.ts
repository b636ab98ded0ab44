import type { GatewayStatus, InstanceStatus } from 'ai-proxy-multi';

/** An instance that has done nothing yet. */
export function instanceStatus(name: string, more: Partial<InstanceStatus> = {}): InstanceStatus {
  return {
    name,
    provider: 'openai',
    priority: 0,
    weight: 1,
    tier: 0,
    health: { state: 'healthy' },
    share: { configured: 1 },
    in_flight: 0,
    attempts: 0,
    answers: { '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0 },
    failures: { refused: 0, reset: 0, timed_out: 0, other: 0 },
    fallbacks: { out: 0, in: 0 },
    replays: 0,
    tokens: { prompt: 0, completion: 0, total: 0 },
    minutes: [],
    ...more,
  };
}

/** One that has seen everything there is. Every number is another one. */
export function busyInstance(name: string, more: Partial<InstanceStatus> = {}): InstanceStatus {
  return instanceStatus(name, {
    model: 'gpt-4o',
    priority: 7,
    weight: 8,
    health: { state: 'unhealthy', since: '2026-03-01T10:00:00.000Z', reason: 'status 503' },
    share: { configured: 0.8, actual: 0.783 },
    in_flight: 3,
    attempts: 12_345,
    answers: { '2xx': 12_000, '3xx': 1, '4xx': 21, '5xx': 202 },
    failures: { refused: 31, reset: 32, timed_out: 33, other: 34 },
    fallbacks: { out: 41, in: 42 },
    replays: 5,
    tokens: { prompt: 1_000_001, completion: 200_002, total: 1_200_003 },
    quota: { limit: 50_000, remaining: 18_200, resets_at: '2099-01-01T00:00:00.000Z' },
    latency_ms: { p50: 412, p95: 1204, p99: 2410 },
    time_to_first_token_ms: { p50: 181, p95: 352, p99: 603 },
    minutes: [
      { attempts: 10, errors: 0, tokens: 5000, latency_ms: 400 },
      { attempts: 0, errors: 0, tokens: 0 },
      { attempts: 12, errors: 6, tokens: 7310, latency_ms: 871 },
    ],
    last_error: { at: '2026-03-01T10:00:01.000Z', status: 503 },
    ...more,
  });
}

export function gatewayStatus(
  instances: readonly InstanceStatus[],
  more: Partial<GatewayStatus> = {},
): GatewayStatus {
  return {
    in_flight: 0,
    requests: { complete: 0, cut: 0, client_gone: 0, timeout: 0, rejected: 0 },
    instances,
    recent_fallbacks: [],
    ...more,
  };
}

/** Something with `status()` whose answer a test changes. */
export interface Source {
  current: GatewayStatus;
  status(): GatewayStatus;
  /** How often it has been asked. */
  readonly asked: number;
}

export function makeSource(current: GatewayStatus): Source {
  let asked = 0;
  return {
    current,
    status() {
      asked++;
      return this.current;
    },
    get asked() {
      return asked;
    },
  };
}
