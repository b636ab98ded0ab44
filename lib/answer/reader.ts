/** Looks at an answer while it passes, chunk by chunk. */
export interface Reader {
  /**
   * @returns what goes on to the client now: nearly always the chunk itself; `undefined` for nothing
   */
  push(chunk: Buffer): Buffer | undefined;
  /** The answer is complete. Returns what had been held back, if anything. */
  end(): Buffer | undefined;
  /** Whether the bytes that went on end between two events, where the answer is a stream of them. */
  readonly atBoundary: boolean;
  /** Whether the answer is over although more may come: its stream told of an error, which was not passed on. */
  readonly brokenOff: boolean;
  /** Resolves when everything pushed has been looked at; `undefined` where it already has. */
  settled(): Promise<void> | undefined;
}
