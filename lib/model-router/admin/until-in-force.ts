import { OvertakenError } from './overtaken-error.ts';

/** A host that replaces its configuration more often than it can be saved must not keep a write waiting for good. */
const MAX_TRIES = 10;

/**
 * Writes again, to the new configuration, as long as the one that was written to is replaced by the host meanwhile.
 *
 * @throws OvertakenError after ten tries, or what `write` throws
 */
export async function untilInForce<Result>(write: () => Promise<Result>): Promise<Result> {
  for (let tries = 1; ; tries++) {
    try {
      return await write();
    } catch (error) {
      if (!(error instanceof OvertakenError) || tries === MAX_TRIES) throw error;
    }
  }
}
