import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { median } from '../bench/statistics.ts';

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
 * By how much the heap has grown from one round to the next, in most of them: what a round leaves behind it leaves in
 * each, while compilers and caches grow in some, and what was late for one is let go in another.
 */
export async function usualGrowth(rounds: number, run: (round: number) => unknown): Promise<number> {
  const heap: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await run(round);
    heap.push(await heapUsed());
  }
  return median(heap.slice(1).map((bytes, round) => bytes - (heap[round] ?? 0)));
}
