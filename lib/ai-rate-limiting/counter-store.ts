/** How far one counter has come. */
export interface Counter {
  /** Used up in the current window; 0 where none has begun. */
  readonly used: number;
  /** Milliseconds until the current window ends; `undefined` where none has begun. */
  readonly resetMs: number | undefined;
}

export interface Charge {
  readonly key: string;
  /** A whole number above 0. */
  readonly amount: number;
  /** The length of the window that begins with this charge, should none have begun. */
  readonly windowSeconds: number;
}

/** Keeps counters in fixed windows: a window begins with its first charge, and with its end the counter is gone. */
export interface CounterStore {
  /**
   * Reads counters, in the order of their keys: at once where they are in this process, else in one round trip.
   *
   * @throws {Error} where the store does not answer in time, or not at all
   */
  read(keys: readonly string[]): readonly Counter[] | Promise<readonly Counter[]>;
  /** Adds to counters, as `read` reads them, and throws as it does. */
  add(charges: readonly Charge[]): void | Promise<void>;
  /** Ends connections. */
  close(): Promise<void>;
}

/** Counters that are somewhere else. */
export interface SharedCounterStore extends CounterStore {
  read(keys: readonly string[]): Promise<readonly Counter[]>;
  add(charges: readonly Charge[]): Promise<void>;
}
