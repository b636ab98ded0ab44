/** A longer delay would be taken for 1 ms: setTimeout's is a signed 32-bit number. */
export const LONGEST_DELAY_MS = 2 ** 31 - 1;

/**
 * What the work comes to, if it does so in time. Keeps the process alive until then, and no longer; where somebody else
 * has a say in that, `isUnref` leaves it to them.
 *
 * @throws {Error} with `message` when the time is up; the work itself goes on
 */
export async function within<Result>(
  timeoutMs: number,
  work: Promise<Result>,
  message: string,
  isUnref = false,
): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const timeUp = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(message)), Math.min(timeoutMs, LONGEST_DELAY_MS));
    if (isUnref) timer.unref();
  });
  try {
    return await Promise.race([work, timeUp]);
  } finally {
    clearTimeout(timer);
  }
}
