import type { QuotaTold } from '../quota.ts';

/** Of two, the one that will refuse first; where both have the same left, the one that lasts longer. */
function isTighter(one: QuotaTold, other: QuotaTold): boolean {
  if (one.remaining !== other.remaining) return one.remaining < other.remaining;
  return one.resetSeconds > other.resetSeconds;
}

/** One for each name: of several that share it, the tightest, since a client can only go by one. */
function tightest(told: readonly QuotaTold[]): Iterable<QuotaTold> {
  const shown = new Map<string, QuotaTold>();
  for (const one of told) {
    // Names of headers are the same in whatever case (RFC 9110 §5.1).
    const name = one.headers.limit.toLowerCase();
    const known = shown.get(name);
    if (known === undefined || isTighter(one, known)) shown.set(name, one);
  }
  return shown.values();
}

/** The response headers that tell quotas. Limit, remaining and reset of one name are always of the same counter. */
export function writeQuota(told: readonly QuotaTold[]): Record<string, string> {
  const written: Record<string, string> = {};
  for (const { headers, limit, remaining, resetSeconds } of told.length > 1 ? tightest(told) : told) {
    written[headers.limit] = String(limit);
    written[headers.remaining] = String(remaining);
    written[headers.reset] = String(resetSeconds);
  }
  return written;
}
