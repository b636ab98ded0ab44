import type { LoadedConfig, LoadedInstance } from './config/loaded-config.ts';
import type { SecretStore } from './config/references.ts';
import type { HealthChecks } from './health/health-checks.ts';
import type { Instance, Route } from './plan.ts';
import { protocols } from './protocols/index.ts';
import type { Protocol, ProtocolName } from './protocols/protocol.ts';
import { providers } from './providers/index.ts';
import type { Provider } from './providers/provider.ts';
import { protocolOfPath } from './request/recognise-protocol.ts';
import { instanceMetrics } from './stats/instance-metrics.ts';
import { InstanceStats } from './stats/instance-stats.ts';
import { credentialsOf } from './upstream/credentials.ts';
import { HttpProxyTransport } from './upstream/http-proxy-transport.ts';
import type { Cooldowns } from './upstream/kept-cooldowns.ts';
import { bodyRules } from './upstream/rewrite-body.ts';

/** What outlives the plans of one middleware. */
export interface Lasting {
  readonly checks: HealthChecks;
  readonly cooldowns: Cooldowns;
}

/** Whether requests to an endpoint generate something, by rules that the configuration has for them. */
function isGeneration(protocol: ProtocolName | undefined): boolean {
  return protocol !== undefined && protocol !== 'passthrough';
}

/** A bare origin gets the provider's path; an endpoint with a path is used as it stands. */
function routesOf(
  config: LoadedInstance,
  provider: Provider,
  endpoint: URL,
): ReadonlyMap<ProtocolName, Route> {
  const ownPath = endpoint.pathname === '/' ? undefined : endpoint.pathname;
  const routes = new Map<ProtocolName, Route>();
  const add = (protocol: Protocol, path: string | undefined): void => {
    routes.set(protocol.name, {
      protocol,
      path: ownPath ?? path,
      base: '/v1',
      rules: bodyRules(config, provider, protocol),
    });
  };
  for (const protocol of Object.values(protocols)) {
    const path = provider.paths[protocol.name];
    if (path !== undefined) add(protocol, path);
  }
  // At the address of one endpoint, what is meant for another would be taken for that one, past all its rules.
  if (ownPath === undefined || !isGeneration(protocolOfPath(ownPath))) add(protocols.passthrough, undefined);
  return routes;
}

/** Makes one instance ready for requests. Its sockets open with the first of them, its health checks begin now. */
export function compileInstance(
  instance: LoadedInstance,
  endpoint: URL,
  config: LoadedConfig,
  secrets: SecretStore,
  { checks, cooldowns }: Lasting,
): Instance {
  const { model } = instance.options;
  const credentials = credentialsOf(instance.auth, secrets);
  const health = checks.watch(instance, endpoint, credentials);
  const stats = new InstanceStats();
  return {
    name: instance.name,
    provider: instance.provider,
    priority: instance.priority,
    weight: instance.weight,
    model: typeof model === 'string' ? model : undefined,
    host: endpoint.host,
    query: endpoint.search.slice(1),
    routes: routesOf(instance, providers[instance.provider], endpoint),
    credentials,
    transport: new HttpProxyTransport(endpoint, {
      keepalive: config.keepalive,
      keepaliveTimeoutMs: config.keepalive_timeout,
      keepalivePool: config.keepalive_pool,
      verifyCertificate: config.ssl_verify,
      caCertificate: undefined,
      addresses: health?.addresses,
    }),
    stats,
    metrics: instanceMetrics(stats, instance.price),
    health,
    cooldown: cooldowns(instance),
  };
}
