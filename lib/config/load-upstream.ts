import type { Logger } from '../host.ts';
import { checkConfig } from './check-config.ts';
import type { ConfigFault } from './config-error.ts';
import { describeValue } from './describe-value.ts';
import type { DefaultedApisixUpstreamConfig } from './generated/apisix-upstream-defaulted.ts';
import { isJsonObject, type JsonObject } from './json.ts';
import { formatPath } from './json-path.ts';
import { nodeAddress, nodeEndpoint } from './node-endpoint.ts';
import { placedItems } from './placed.ts';
import { forms } from './schemas.ts';

/** Some nodes that serve the same. */
export interface LoadedUpstream {
  readonly id: string;
  /** An `http` or `https` origin each, and its share of the requests. */
  readonly nodes: readonly { readonly endpoint: string; readonly weight: number }[];
}

/** Fields that are accepted and yet do nothing, with the values at which that makes no difference. */
const IGNORED: ReadonlyMap<string, readonly unknown[]> = new Map([
  ['type', ['roundrobin']],
  ['hash_on', ['vars']],
  ['key', []],
  ['checks', []],
  ['retries', []],
  ['retry_timeout', []],
  ['timeout', []],
  ['keepalive_pool', []],
  ['pass_host', ['pass', 'node']],
  ['upstream_host', []],
]);

const ADDRESS = '"host:port", such as "127.0.0.1:8000"';

function nameFaults(nodes: JsonObject): readonly ConfigFault[] {
  return Object.keys(nodes)
    .filter((name) => nodeEndpoint('http', name) === undefined)
    .map((name) => ({
      path: 'nodes',
      message: `holds ${describeValue(name, ['nodes'])}, must hold nothing but ${ADDRESS}`,
    }));
}

function hostFaults(config: JsonObject): readonly ConfigFault[] {
  return placedItems(config, 'nodes').flatMap(({ path, object: { host } }) => {
    if (typeof host !== 'string' || nodeEndpoint('http', nodeAddress(host, undefined)) !== undefined)
      return [];
    const place = [...path, 'host'];
    const message = `is ${describeValue(host, place)}, must be a host name or an address`;
    return [{ path: formatPath(place), message }];
  });
}

function upstreamFaults(config: JsonObject): readonly ConfigFault[] {
  const { id, nodes } = config;
  const missing = { path: 'id', message: 'is missing, must be what ai-proxy calls the upstream' };
  const wrong = isJsonObject(nodes) ? nameFaults(nodes) : hostFaults(config);
  return id === undefined ? [missing, ...wrong] : wrong;
}

function completeNodes({ scheme, nodes }: DefaultedApisixUpstreamConfig): LoadedUpstream['nodes'] {
  const listed = Array.isArray(nodes)
    ? nodes.map(({ host, port, weight }) => ({ address: nodeAddress(host, port), weight }))
    : Object.entries(nodes).map(([address, weight]) => ({ address, weight }));
  return listed.flatMap(({ address, weight }) => {
    const endpoint = nodeEndpoint(scheme, address);
    return endpoint === undefined ? [] : [{ endpoint, weight }];
  });
}

function warnOfIgnored(config: DefaultedApisixUpstreamConfig, logger: Logger): void {
  for (const [name, value] of Object.entries(config)) {
    const harmless = IGNORED.get(name) ?? [value];
    if (!harmless.includes(value)) logger.warn({ path: name }, 'does nothing: ai-proxy decides');
  }
}

/**
 * Checks one upstream, in a copy of its own, and fills in its defaults.
 *
 * @throws {ConfigError} with everything that is wrong
 */
export function loadUpstream(value: unknown, logger: Logger): LoadedUpstream {
  const faults = isJsonObject(value) ? upstreamFaults(value) : [];
  const checked = checkConfig(value, forms.upstream(), faults, logger);
  warnOfIgnored(checked, logger);
  return { id: String(checked.id), nodes: completeNodes(checked) };
}
