import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import type { Plan } from '../plan.ts';
import { holdsSecret } from '../upstream/redact.ts';
import { connectionTokens, HOP_BY_HOP } from '../upstream/request-headers.ts';

/** An upstream's cookies are not the host application's. */
const DROPPED: ReadonlySet<string> = new Set([...HOP_BY_HOP, 'set-cookie']);

/** Asks everything between gateway and client (nginx, compression, caches) to let events through at once. */
const EVENT_STREAM_HEADERS = {
  'x-accel-buffering': 'no',
  'cache-control': 'no-cache, no-transform',
} as const;

function valueHoldsSecret(value: string | string[], secrets: readonly string[]): boolean {
  return typeof value === 'string'
    ? holdsSecret(value, secrets)
    : value.some((line) => holdsSecret(line, secrets));
}

/** The upstream's headers as the client may see them: nothing of one connection, nothing of the credentials. */
export function clientHeaders(
  upstream: IncomingHttpHeaders,
  plan: Plan,
  secrets: readonly string[],
  isEventStream: boolean,
): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = isEventStream ? { ...EVENT_STREAM_HEADERS } : {};
  const declared = connectionTokens(upstream.connection);
  for (const name in upstream) {
    const value = upstream[name];
    if (value === undefined || DROPPED.has(name) || plan.injectedHeaders.has(name)) continue;
    if (declared.includes(name) || valueHoldsSecret(value, secrets)) continue;
    headers[name] = value;
  }
  return headers;
}

function percentEncode(character: string): string {
  return [...Buffer.from(character)]
    .map((byte) => `%${byte.toString(16).padStart(2, '0').toUpperCase()}`)
    .join('');
}

/** A header value that can be sent: instances may be named in any script. */
export function headerSafe(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/gu, percentEncode).trim();
}
