import type { ConfigFault } from './config-error.ts';
import type { Placed } from './placed.ts';
import { textFault } from './text-fault.ts';
import { parseTimestamp } from './timestamp.ts';

function timeFlaw(text: string): string | undefined {
  if (parseTimestamp(text) !== undefined) return undefined;
  return 'must be a time as RFC 3339 has it, such as "2027-01-31T12:00:00Z"';
}

/** What is wrong with one caller's key beyond what its schema says. */
export function callerKeyFaults({ path, object }: Placed): readonly ConfigFault[] {
  return textFault(object.expires_at, [...path, 'expires_at'], timeFlaw);
}
