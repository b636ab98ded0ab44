import { type LocalStore, openLocalStore } from './local-store.ts';

/** Local counters in pools, each with its own bound: those of one pool never push out another's. */
export interface LocalPools {
  /** The pool of that name, which is made where there is none. Not to be kept: one without counters is forgotten. */
  pool(name: string): LocalStore;
}

/** So many pools are worth looking through before one more is made. */
const FEW_POOLS = 64;

/**
 * Opens pools, which are empty.
 *
 * @param keysRemembered how many counters each of them holds at most. Default: that of a local store
 */
export function openLocalPools(keysRemembered?: number): LocalPools {
  const pools = new Map<string, LocalStore>();
  let sweepAt = FEW_POOLS;

  /** Pools are named by configurations, of which updates bring ever new ones. Seldom enough to cost nothing. */
  function sweep(): void {
    const nowMs = Date.now();
    for (const [name, { idleAtMs }] of pools) if (idleAtMs <= nowMs) pools.delete(name);
    sweepAt = Math.max(FEW_POOLS, 2 * pools.size);
  }

  function open(name: string): LocalStore {
    if (pools.size >= sweepAt) sweep();
    const opened = openLocalStore(keysRemembered);
    pools.set(name, opened);
    return opened;
  }

  return { pool: (name) => pools.get(name) ?? open(name) };
}
