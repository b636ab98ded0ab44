import { randomUUID } from 'node:crypto';

const SUFFIX = '.tmp';

/** A name beside the file's that nobody else has, and that tells which process made it. */
export function temporaryName(fileName: string): string {
  return `.${fileName}.${process.pid}.${randomUUID()}${SUFFIX}`;
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // Another user's process may not be signalled, but is there.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/**
 * Whether it is a temporary name for this file, made by a process that does not run any more. This one's own id counts
 * as such: in a container, the process before had the same.
 */
export function isLeftover(name: string, fileName: string): boolean {
  const prefix = `.${fileName}.`;
  if (!name.startsWith(prefix) || !name.endsWith(SUFFIX)) return false;
  const [, pid] = /^(\d+)\.[\da-f-]{36}$/.exec(name.slice(prefix.length, -SUFFIX.length)) ?? [];
  return pid !== undefined && (Number(pid) === process.pid || !isRunning(Number(pid)));
}
