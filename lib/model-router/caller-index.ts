import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { LoadedCaller } from '../config/loaded-model-router.ts';
import { presentedToken } from './presented-token.ts';

/** Who a request comes from, or why that is nobody. */
export type CallerLookup =
  | { readonly kind: 'missing' }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'disabled' }
  | { readonly kind: 'expired' }
  | { readonly kind: 'caller'; readonly caller: LoadedCaller };

/** Knows callers by the hashes of their keys. */
export interface CallerIndex {
  /** @param nowMs since the epoch; a key works up to the very instant at which it expires */
  findCaller(headers: IncomingHttpHeaders, nowMs: number): CallerLookup;
}

const MISSING: CallerLookup = { kind: 'missing' };
const UNKNOWN: CallerLookup = { kind: 'unknown' };
const EXPIRED: CallerLookup = { kind: 'expired' };
const DISABLED: CallerLookup = { kind: 'disabled' };

function lookUp(caller: LoadedCaller, nowMs: number): CallerLookup {
  // A key that is disabled and has expired is called disabled.
  if (caller.disabled) return DISABLED;
  return caller.expiresAtMs !== undefined && nowMs > caller.expiresAtMs
    ? EXPIRED
    : { kind: 'caller', caller };
}

/**
 * However many callers there are, one look-up is one digest and one step. No constant-time comparison is needed: what
 * the map compares is the digest of a guess, which whoever guesses cannot steer, and knowing how a digest begins, or
 * even all of it, lets nobody in. A digest costs a microsecond or two, so none is remembered, nor any key in the clear.
 */
export function makeCallerIndex(callers: readonly LoadedCaller[]): CallerIndex {
  const byHash = new Map<string, LoadedCaller>();
  for (const caller of callers) byHash.set(caller.keyHash, caller);
  return {
    findCaller(headers, nowMs) {
      const token = presentedToken(headers);
      if (token === undefined) return MISSING;
      const caller = byHash.get(createHash('sha256').update(token, 'latin1').digest('hex'));
      return caller === undefined ? UNKNOWN : lookUp(caller, nowMs);
    },
  };
}
