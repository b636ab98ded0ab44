import { validateHeaderValue } from 'node:http';

/** Node's own check, but not its message: which character it was is already something about a secret. */
export function isHeaderValue(text: string): boolean {
  try {
    validateHeaderValue('authorization', text);
    return true;
  } catch {
    // It throws for one reason alone, a character that no header may hold.
    return false;
  }
}
