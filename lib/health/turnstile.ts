/** Lets so many tasks run at the same time; the others wait in line. */
export interface Turnstile {
  /** Resolves when the task has ended. Tasks must not reject. */
  pass<Result>(task: () => Promise<Result>): Promise<Result>;
}

export function makeTurnstile(places: number): Turnstile {
  let free = places;
  const line: (() => void)[] = [];
  return {
    async pass(task) {
      if (free > 0) free--;
      else await new Promise<void>((resolve) => line.push(resolve));
      const result = await task();
      const next = line.shift();
      // The place is handed on, so that nobody can slip in between.
      if (next === undefined) free++;
      else next();
      return result;
    },
  };
}
