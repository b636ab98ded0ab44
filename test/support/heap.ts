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
 * Bytes that what `make` returns keeps alive. The least of three: a process that has run other tests has compilers and
 * closing sockets, which take and give back megabytes when they please.
 */
export async function heapTakenBy(make: () => unknown): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 3; round++) {
    const before = await heapUsed();
    const kept = make();
    const after = await heapUsed();
    if (kept === undefined) throw new Error('nothing was kept');
    least = Math.min(least, after - before);
  }
  return least;
}
