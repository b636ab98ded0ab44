import type { Admission } from '../admission.ts';
import type { Exchange } from '../exchange.ts';
import type { Instance, Plan } from '../plan.ts';
import type { Credentials } from './credentials.ts';
import { withoutParameters } from './query-parameters.ts';
import { requestHeaders } from './request-headers.ts';
import { requestPath } from './request-path.ts';
import { rewriteBody } from './rewrite-body.ts';
import type { UpstreamRequest } from './transport.ts';

/** A request for one instance, made from the client's alone, and whether it asks for a stream. */
export interface BuiltRequest {
  readonly request: UpstreamRequest;
  readonly streams: boolean;
}

/** Takes away what a middleware in front has known the caller by. */
function withholdCredentials(
  headers: Record<string, unknown>,
  { credentialHeaders }: Admission,
  plan: Plan,
): void {
  for (const name of credentialHeaders) if (!plan.isForwarded(name)) delete headers[name];
}

/** An API may have its `/v1` elsewhere. */
function withBase(url: string, base = '/v1'): string {
  return base !== '/v1' && url.startsWith('/v1/') ? base + url.slice('/v1'.length) : url;
}

/** @throws GatewayError 400 `invalid_request_target` */
export function buildRequest(exchange: Exchange, instance: Instance, credentials: Credentials): BuiltRequest {
  const { req, document, protocol, plan, admission } = exchange;
  const route = instance.routes.get(protocol.name);
  const rewritten =
    document === undefined || route === undefined ? undefined : rewriteBody(document, route.rules, protocol);
  const passesThrough = protocol.name === 'passthrough';
  const clientUrl = passesThrough
    ? withoutParameters(withBase(req.url ?? '/', route?.base), admission?.credentialQueries)
    : undefined;
  const headers = requestHeaders(req.headers, plan.withheldHeaders, instance, rewritten?.pieces);
  if (admission !== undefined) withholdCredentials(headers, admission, plan);
  for (const [name, value] of credentials.headers) {
    if (headers[name] === undefined || !instance.yieldingHeaders?.has(name)) headers[name] = value;
  }
  return {
    request: {
      method: passesThrough ? (req.method ?? 'GET') : 'POST',
      path: requestPath(route?.path, instance.query, clientUrl, credentials.query),
      headers,
      body: rewritten?.pieces,
    },
    streams: rewritten?.streams ?? false,
  };
}
