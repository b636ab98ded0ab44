/** A store that never answers must not keep callers and administrators waiting for good. */
const PATIENCE_MS = 30_000;

/**
 * What a store comes to, within 30 s. No reason for a process to stay alive.
 *
 * @throws {Error} with the code ETIMEDOUT when the time is up; the store itself goes on
 */
export async function patiently<Result>(asked: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const timeUp = new Promise<never>((_resolve, reject) => {
    const error = Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' });
    timer = setTimeout(reject, PATIENCE_MS, error).unref();
  });
  try {
    return await Promise.race([asked, timeUp]);
  } finally {
    clearTimeout(timer);
  }
}
