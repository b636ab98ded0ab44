import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises';

/**
 * Resolves when everybody in this process has had the time, and the turns of the loop, to read what was written to
 * them: a reset takes back what has not been read.
 */
export async function othersHaveRead(): Promise<void> {
  await pause(50);
  for (let count = 0; count < 20; count++) await turn();
}
