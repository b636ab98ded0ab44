import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect: unknown = runInNewContext('gc');

/** Bytes that are alive now, in the heap and in buffers outside it. */
export async function heapUsed(): Promise<number> {
  // Twice, with a turn of the loop between: some things are only let go by a finalizer.
  for (let round = 0; round < 2; round++) {
    if (typeof collect === 'function') collect();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed: inHeap, external } = process.memoryUsage();
  return inHeap + external;
}

/**
 * Whether what `make` returns keeps less than so many bytes alive. One of three times is enough: a process that has run
 * other tests has compilers and closing sockets, which take and give back megabytes when they please.
 */
export async function takesLessThan(bytes: number, make: () => unknown): Promise<boolean> {
  for (let round = 0; round < 3; round++) {
    const before = await heapUsed();
    const kept = make();
    const after = await heapUsed();
    if (kept === undefined) throw new Error('nothing was kept');
    if (after - before < bytes) return true;
  }
  return false;
}

/**
 * By how much the heap has grown from one round to the next, at least: what a round leaves behind it leaves in each of
 * them, while compilers and caches grow in some.
 */
export async function leastGrowth(rounds: number, run: (round: number) => unknown): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  let before = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) {
    await run(round);
    const after = await heapUsed();
    if (round > 0) least = Math.min(least, after - before);
    before = after;
  }
  return least;
}
