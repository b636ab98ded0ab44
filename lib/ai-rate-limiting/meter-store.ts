import type { Counter, SharedCounterStore } from './counter-store.ts';
import type { LocalPools } from './local-pools.ts';
import type { Meter } from './meter.ts';

/** Where the counters of a limiter are, by its meters. */
export interface MeterStore {
  /** In the order of the meters. Throws as `CounterStore.read` does. */
  read(meters: readonly Meter[]): readonly Counter[] | Promise<readonly Counter[]>;
  /** Adds the same amount to each. Throws as `CounterStore.add` does. */
  add(meters: readonly Meter[], amount: number): void | Promise<void>;
  close(): Promise<void>;
}

export function sharedMeters(store: SharedCounterStore): MeterStore {
  return {
    read: (meters) => store.read(meters.map(({ key }) => key)),
    add: (meters, amount) =>
      store.add(meters.map(({ key, windowSeconds }) => ({ key, amount, windowSeconds }))),
    close: () => store.close(),
  };
}

/** Closing leaves the counters, for a limiter that goes on counting in the same pools. */
export function localMeters(pools: LocalPools): MeterStore {
  return {
    read: (meters) => meters.map(({ pool, key }) => pools.pool(pool).readOne(key)),
    add(meters, amount) {
      for (const { pool, key, windowSeconds } of meters) {
        pools.pool(pool).addOne({ key, amount, windowSeconds });
      }
    },
    async close() {},
  };
}
