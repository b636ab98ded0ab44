import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** Visible ASCII, of a length that fits into every log. */
const ACCEPTED = /^[\x21-\x7e]{1,256}$/;

/** The caller's own id for the request where it sends one that can be used, else a new one (UUID v4). */
export function callIdOf(headers: IncomingHttpHeaders, requestIdHeader: string | undefined): string {
  const sent = requestIdHeader === undefined ? undefined : headers[requestIdHeader.toLowerCase()];
  return typeof sent === 'string' && ACCEPTED.test(sent) ? sent : randomUUID();
}
