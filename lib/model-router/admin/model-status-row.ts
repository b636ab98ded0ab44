/**
 * What is known of a model at run time. Absent fields: not known. `GET /status/models` and the admin API have its times
 * as AISIX has them: `{ secs_since_epoch, nanos_since_epoch }`.
 */
export interface ModelStatusRow {
  readonly id: string;
  readonly display_name: string;
  readonly kind: 'direct' | 'routing';
  /**
   * `healthy`: nothing speaks against it, whether anything is known or not. `cooldown` hides what a background check has
   * found. A model that only routes to others is always `not_applicable`.
   */
  readonly status: 'healthy' | 'unhealthy' | 'cooldown' | 'not_applicable';
  /** ISO 8601; only while it is in the future. */
  readonly cooldown_until?: string;
  /** ISO 8601. */
  readonly last_checked_at?: string;
  /** What the last background check was answered with; 408 where it took too long. */
  readonly last_check_status?: number;
  /** Such as `upstream_rate_limited` or `background_check_failed`. */
  readonly status_reason?: string;
}
