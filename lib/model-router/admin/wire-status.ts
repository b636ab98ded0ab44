import type { JsonObject } from '../../config/json.ts';
import type { ModelStatusRow } from './model-status-row.ts';

/** A time as AISIX's clients expect it. */
function wireTime(isoTime: string): object {
  const ms = Date.parse(isoTime);
  const seconds = Math.floor(ms / 1000);
  return { secs_since_epoch: seconds, nanos_since_epoch: (ms - seconds * 1000) * 1_000_000 };
}

/** A row of `GET /admin/v1/models/status`. */
export function wireStatus(row: ModelStatusRow): JsonObject {
  const { cooldown_until: cooldownUntil, last_checked_at: lastCheckedAt } = row;
  return {
    ...row,
    ...(cooldownUntil !== undefined && { cooldown_until: wireTime(cooldownUntil) }),
    ...(lastCheckedAt !== undefined && { last_checked_at: wireTime(lastCheckedAt) }),
  };
}
