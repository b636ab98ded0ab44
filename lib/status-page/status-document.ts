import type { GatewayStatus } from '../status.ts';

/** Whatever tells the state of a gateway (`aiProxyMulti`, `aiProxy`), or of several by their ids (`apisixRouter`). */
export interface StatusSource {
  status(): GatewayStatus | Readonly<Record<string, GatewayStatus>>;
}

/** A gateway as the page titles it. */
export interface NamedStatus {
  readonly name: string;
  readonly status: GatewayStatus;
}

/** What `status.json` holds. */
export interface StatusDocument {
  /** ISO 8601: when it was read, by the server's clock. */
  readonly at: string;
  readonly gateways: readonly NamedStatus[];
}

/** A source and what the user calls it. */
export interface NamedSource {
  readonly name: string | undefined;
  readonly source: StatusSource;
}

/** A route may well be called "instances", but its state is no array. */
function isOneGateway(status: ReturnType<StatusSource['status']>): status is GatewayStatus {
  return Array.isArray(status.instances);
}

function readSource({ name, source }: NamedSource, index: number): readonly NamedStatus[] {
  const status = source.status();
  if (isOneGateway(status)) return [{ name: name ?? `gateway ${index + 1}`, status }];
  return Object.entries(status).map(([id, ofRoute]) => ({
    name: name === undefined ? `route ${id}` : `${name} / ${id}`,
    status: ofRoute,
  }));
}

/** The state of every gateway now, in the order in which they were given. */
export function readGateways(sources: readonly NamedSource[]): readonly NamedStatus[] {
  return sources.flatMap(readSource);
}
