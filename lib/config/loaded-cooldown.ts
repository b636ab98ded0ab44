/** Request-path cooldown: what benches a target, and for how long. */
export interface LoadedCooldown {
  readonly triggerStatuses: readonly number[];
  readonly triggerOnTimeout: boolean;
  readonly triggerOnTransport: boolean;
  /** Above 0: a cooldown that is switched off is not there at all. */
  readonly defaultMs: number;
  /** Upper bound of what an upstream's `retry-after` may ask for. */
  readonly maxMs: number;
  readonly honorRetryAfter: boolean;
}
