import type { Exchange } from '../exchange.ts';
import type { Instance } from '../plan.ts';
import type { Credentials } from './credentials.ts';
import { requestHeaders } from './request-headers.ts';
import { requestPath } from './request-path.ts';
import { rewriteBody } from './rewrite-body.ts';
import type { UpstreamRequest } from './transport.ts';

/** A request for one instance, made from the client's alone, and whether it asks for a stream. */
export interface BuiltRequest {
  readonly request: UpstreamRequest;
  readonly streams: boolean;
}

/** @throws GatewayError 400 `invalid_request_target` */
export function buildRequest(exchange: Exchange, instance: Instance, credentials: Credentials): BuiltRequest {
  const { req, document, protocol, plan } = exchange;
  const route = instance.routes.get(protocol.name);
  const rewritten =
    document === undefined || route === undefined ? undefined : rewriteBody(document, route.rules, protocol);
  const passesThrough = protocol.name === 'passthrough';
  return {
    request: {
      method: passesThrough ? (req.method ?? 'GET') : 'POST',
      path: requestPath(
        route?.path,
        instance.query,
        passesThrough ? (req.url ?? '/') : undefined,
        credentials.query,
      ),
      headers: requestHeaders(
        req.headers,
        plan.withheldHeaders,
        instance.host,
        rewritten?.pieces,
        credentials,
      ),
      body: rewritten?.pieces,
    },
    streams: rewritten?.streams ?? false,
  };
}
