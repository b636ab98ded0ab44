import type { IncomingHttpHeaders } from 'node:http';
import type { Instance } from '../plan.ts';

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

/** Says of a header's name, in lower case, whether `host.forwardHeaders` asks for it. */
export function forwardTest(forwarded: boolean | readonly string[]): (name: string) => boolean {
  if (typeof forwarded === 'boolean') return () => forwarded;
  const names = new Set(forwarded.map((name) => name.toLowerCase()));
  return (name) => names.has(name);
}

/**
 * The client's headers that do not reach an LLM, in lower case.
 *
 * @param injected names used in any instance's `auth.header`
 * @param isForwarded of those that hold credentials, which are let through all the same
 */
export function withheldHeaders(
  injected: Iterable<string>,
  isForwarded: (name: string) => boolean,
): ReadonlySet<string> {
  const credentials = [...CREDENTIAL_HEADERS, ...injected].filter((name) => !isForwarded(name));
  return new Set([...HOP_BY_HOP, ...OWN_HEADERS, ...credentials]);
}

/** Names that a `connection` header declares to be hop-by-hop as well. */
export function connectionTokens(connection: string | undefined): readonly string[] {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return [];
  return connection.split(',').map((token) => token.trim().toLowerCase());
}

/** The headers for one attempt: the client's, less those withheld, then the gateway's. Credentials are yet to come. */
export function requestHeaders(
  client: IncomingHttpHeaders,
  withheld: ReadonlySet<string>,
  { host, takesHeader, defaultHeaders }: Pick<Instance, 'host' | 'takesHeader' | 'defaultHeaders'>,
  body: readonly Buffer[] | undefined,
): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = { host };
  for (const name in client) {
    const value = client[name];
    if (value === undefined || withheld.has(name) || takesHeader?.(name) === false) continue;
    headers[name] = value;
  }
  for (const token of connectionTokens(client.connection)) delete headers[token];
  for (const name in defaultHeaders) headers[name] ??= defaultHeaders[name] ?? '';
  if (body !== undefined) {
    headers['content-type'] = 'application/json';
    headers['content-length'] = String(body.reduce((sum, piece) => sum + piece.length, 0));
  }
  headers.host = host;
  return headers;
}
