import { GatewayError } from '../answer/gateway-error.ts';

type Pairs = readonly (readonly [string, string])[];

/** Joins queries; a name in a later one replaces the earlier ones'. A single query stays as it is written. */
function joinQueries(endpoint: string, client: string, injected: Pairs): string {
  if (injected.length === 0 && (endpoint === '' || client === '')) return endpoint || client;
  const joined = new URLSearchParams(endpoint);
  const fromClient = new URLSearchParams(client);
  for (const name of new Set(fromClient.keys())) joined.delete(name);
  for (const [name, value] of fromClient) joined.append(name, value);
  for (const [name, value] of injected) joined.set(name, value);
  return joined.toString();
}

/** `http://host/path` as the target of a request (RFC 9112 §3.2.2): only the path is anybody's business. */
const ABSOLUTE_FORM = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i;

/**
 * What URL parsers take for the end of the path, and for a `/`, while HTTP and whoever has recognised the path here do
 * not: `/v1/chat/completions#/models/x` would pass for one of the models and reach the chats, past options and quotas.
 * No request target may hold either (RFC 9112 §3.2), and no SDK sends them, so that they are refused: percent-encoded,
 * they would reach another path than the client can have meant. A `\` in a query means nothing, and browsers send it.
 */
const AMBIGUOUS = /#|^[^?]*\\/;

/**
 * Path and query to send.
 *
 * @param route the instance's path for the protocol; `undefined` takes the client's
 * @param clientUrl the client's path and query below the mount point; its query counts only without a `route`
 *   of the protocol's own
 * @throws GatewayError 400 `invalid_request_target` when the client's is neither a path nor a URL, or an ambiguous one
 */
export function requestPath(
  route: string | undefined,
  endpointQuery: string,
  clientUrl: string | undefined,
  injected: Pairs,
): string {
  let path = route;
  let clientQuery = '';
  if (clientUrl !== undefined) {
    const target = clientUrl.startsWith('/') ? clientUrl : clientUrl.replace(ABSOLUTE_FORM, '') || '/';
    if (!target.startsWith('/') && !target.startsWith('?')) {
      throw new GatewayError(400, 'invalid_request_target', 'The request target is not a path.');
    }
    if (AMBIGUOUS.test(target)) {
      throw new GatewayError(400, 'invalid_request_target', 'The request target holds a "#" or a "\\".');
    }
    const mark = target.indexOf('?');
    path ??= mark === -1 ? target : target.slice(0, mark) || '/';
    clientQuery = mark === -1 ? '' : target.slice(mark + 1);
  }
  const query = joinQueries(endpointQuery, clientQuery, injected);
  return query === '' ? (path ?? '/') : `${path ?? '/'}?${query}`;
}
