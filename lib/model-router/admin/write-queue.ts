import { AdminError } from './admin-error.ts';

export type WriteQueue = <Result>(write: () => Promise<Result>) => Promise<Result>;

/** Each holds its body, most of which are small. More than that wait only where the store hangs. */
const MAX_WAITING = 256;

/**
 * Lets one write happen at a time, in the order in which they came: each begins with what the one before left. One
 * that fails does not keep the next from its turn.
 *
 * @throws AdminError 503 from the queue when 256 are waiting
 */
export function makeWriteQueue(): WriteQueue {
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  return async (write) => {
    if (waiting >= MAX_WAITING) {
      throw new AdminError(503, 'Too many changes are waiting to be saved.', { 'retry-after': '10' });
    }
    waiting += 1;
    const turn = last.then(write).finally(() => {
      waiting -= 1;
    });
    last = turn.catch(() => {
      // Whoever asked for it is told.
    });
    return turn;
  };
}
