import type { IncomingHttpHeaders } from 'node:http';
import type { Credentials } from './credentials.ts';

/** Headers that belong to one connection, not to the message (RFC 9110 §7.6.1). */
export const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);

/** Replaced by the gateway's own, or answered by it. */
const OWN_HEADERS = [
  'host',
  'content-length',
  'content-type',
  'content-encoding',
  'accept-encoding',
  'expect',
];

/** Where callers keep secrets that are the host application's business, not the LLM's. */
export const CREDENTIAL_HEADERS = [
  'authorization',
  'cookie',
  'x-api-key',
  'api-key',
  'apikey',
  'x-goog-api-key',
  'xi-api-key',
  'ocp-apim-subscription-key',
];

/**
 * The client's headers that do not reach an LLM, in lower case.
 *
 * @param injected names used in any instance's `auth.header`
 * @param forwarded `host.forwardHeaders`
 */
export function withheldHeaders(
  injected: Iterable<string>,
  forwarded: boolean | readonly string[],
): ReadonlySet<string> {
  const credentials = new Set([...CREDENTIAL_HEADERS, ...injected]);
  if (forwarded === true) credentials.clear();
  if (Array.isArray(forwarded)) for (const name of forwarded) credentials.delete(String(name).toLowerCase());
  return new Set([...HOP_BY_HOP, ...OWN_HEADERS, ...credentials]);
}

/** Names that a `connection` header declares to be hop-by-hop as well. */
export function connectionTokens(connection: string | undefined): readonly string[] {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return [];
  return connection.split(',').map((token) => token.trim().toLowerCase());
}

/** The headers for one attempt: the client's, less those withheld, then the gateway's and the credentials. */
export function requestHeaders(
  client: IncomingHttpHeaders,
  withheld: ReadonlySet<string>,
  host: string,
  body: readonly Buffer[] | undefined,
  credentials: Credentials,
): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = { host };
  for (const name in client) {
    const value = client[name];
    if (value !== undefined && !withheld.has(name)) headers[name] = value;
  }
  for (const token of connectionTokens(client.connection)) delete headers[token];
  if (body !== undefined) {
    headers['content-type'] = 'application/json';
    headers['content-length'] = String(body.reduce((sum, piece) => sum + piece.length, 0));
  }
  headers.host = host;
  for (const [name, value] of credentials.headers) headers[name] = value;
  return headers;
}
