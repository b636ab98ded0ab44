import { oneLine } from '../log/one-line.ts';
import { redact } from '../upstream/redact.ts';

const LONGEST_REASON = 200;

/** From here on, Redis repeats what it was sent: where AUTH has been renamed, that is the password. */
const ECHO = /,? with args beginning with/;

/** A cluster's client says only that all nodes have failed; why is in a member of its error. */
function causeOf(error: unknown): unknown {
  if (typeof error !== 'object' || error === null || !('lastNodeError' in error)) return error;
  return error.lastNodeError ?? error;
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // An AggregateError, for a name with several addresses that all refuse, has a code and no message.
  if (error.message === '' && 'code' in error) return String(error.code);
  return error.message;
}

/**
 * Why Redis failed, as part of one line of a log. The error itself must not be passed on: the client hangs the
 * command onto it, and AUTH's arguments are the password.
 *
 * @param secrets longest first
 */
export function redisFailure(error: unknown, secrets: readonly string[]): string {
  const [text = ''] = textOf(causeOf(error)).split(ECHO);
  return oneLine(redact(text, secrets)).slice(0, LONGEST_REASON);
}

/** A password that was refused may since have been changed where `$secret://` references lead. */
export function isLoginFailure(reason: string): boolean {
  return /WRONGPASS|AUTH|invalid password/.test(reason);
}

/** What a master says that a failover has made a replica of another: there is a new one to be found. */
export function isDemotion(reason: string): boolean {
  return reason.includes('READONLY');
}
