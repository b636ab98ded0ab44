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

/** What there is to say of a key for good, made once rather than for each request. */
interface Entry {
  readonly lookup: CallerLookup;
  /** `Infinity`: never. */
  readonly expiresAtMs: number;
}

function makeEntry(caller: LoadedCaller): Entry {
  const lookup: CallerLookup = caller.disabled ? DISABLED : { kind: 'caller', caller };
  // A key that is disabled and has expired is called disabled.
  const expiresAtMs = caller.disabled ? undefined : caller.expiresAtMs;
  return { lookup, expiresAtMs: expiresAtMs ?? Number.POSITIVE_INFINITY };
}

/**
 * However many callers there are, one look-up is one digest and one step. No constant-time comparison is needed: what
 * the map compares is the digest of a guess, which whoever guesses cannot steer, and knowing how a digest begins, or
 * even all of it, lets nobody in. A digest costs a microsecond or two, so none is remembered, nor any key in the clear.
 */
export function makeCallerIndex(callers: readonly LoadedCaller[]): CallerIndex {
  const entries = new Map(callers.map((caller) => [caller.keyHash, makeEntry(caller)]));
  return {
    findCaller(headers, nowMs) {
      const token = presentedToken(headers);
      if (token === undefined) return MISSING;
      const entry = entries.get(createHash('sha256').update(token, 'latin1').digest('hex'));
      if (entry === undefined) return UNKNOWN;
      return nowMs > entry.expiresAtMs ? EXPIRED : entry.lookup;
    },
  };
}
