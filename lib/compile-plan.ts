import { hashKeyReader } from './balancer/hash-key.ts';
import { balancers } from './balancer/index.ts';
import { makeTiers } from './balancer/tiers.ts';
import type { LoadedConfig, LoadedInstance } from './config/loaded-config.ts';
import { SecretStore } from './config/references.ts';
import type { Asked, Instance, Limits, Plan, Route } from './plan.ts';
import { protocols } from './protocols/index.ts';
import type { Protocol, ProtocolName } from './protocols/protocol.ts';
import { providers } from './providers/index.ts';
import type { Provider } from './providers/provider.ts';
import type { ResolvedHost } from './resolve-host.ts';
import { InstanceStats } from './stats/instance-stats.ts';
import { credentialsOf } from './upstream/credentials.ts';
import { HttpProxyTransport } from './upstream/http-proxy-transport.ts';
import { makeJudge } from './upstream/judge.ts';
import { forwardTest, withheldHeaders } from './upstream/request-headers.ts';
import { bodyRules } from './upstream/rewrite-body.ts';

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
      rules: bodyRules(config, provider, protocol),
    });
  };
  for (const protocol of Object.values(protocols)) {
    const path = provider.paths[protocol.name];
    if (path !== undefined) add(protocol, path);
  }
  add(protocols.passthrough, undefined);
  return routes;
}

function compileInstance(
  instance: LoadedInstance,
  endpoint: URL,
  config: LoadedConfig,
  secrets: SecretStore,
): Instance {
  const { model } = instance.options;
  return {
    name: instance.name,
    provider: instance.provider,
    priority: instance.priority,
    weight: instance.weight,
    model: typeof model === 'string' ? model : undefined,
    host: endpoint.host,
    query: endpoint.search.slice(1),
    routes: routesOf(instance, providers[instance.provider], endpoint),
    credentials: credentialsOf(instance.auth, secrets),
    transport: new HttpProxyTransport(endpoint, {
      keepalive: config.keepalive,
      keepaliveTimeoutMs: config.keepalive_timeout,
      keepalivePool: config.keepalive_pool,
      verifyCertificate: config.ssl_verify,
      timeoutMs: config.timeout,
    }),
    stats: new InstanceStats(),
  };
}

/** Instances without an address are left out: they are never picked. */
function compileInstances(config: LoadedConfig, secrets: SecretStore): readonly Instance[] {
  return config.instances.flatMap((instance) => {
    const provider: Provider = providers[instance.provider];
    const endpoint = instance.endpoint ?? provider.origin;
    return endpoint === undefined ? [] : [compileInstance(instance, new URL(endpoint), config, secrets)];
  });
}

function limitsOf(config: LoadedConfig): Limits {
  return {
    timeoutMs: config.timeout,
    maxRequestBytes: config.max_req_body_size,
    maxResponseBytes: config.max_response_bytes ?? Number.POSITIVE_INFINITY,
    maxStreamDurationMs: config.max_stream_duration_ms ?? Number.POSITIVE_INFINITY,
  };
}

/** Turns a checked configuration into what requests are served by. */
export function compilePlan(config: LoadedConfig, host: ResolvedHost): Plan {
  const instances = compileInstances(config, new SecretStore(host.secret));
  const tiers = makeTiers(instances, host.priorityOrder, balancers[config.balancer.algorithm]);
  const hashes = config.balancer.algorithm === 'chash';
  const readHashKey = hashKeyReader(config.balancer);
  const injected = new Set(
    config.instances.flatMap(({ auth }) => Object.keys(auth.header).map((name) => name.toLowerCase())),
  );

  const isForwarded = forwardTest(host.forwardHeaders);

  function hashKeyOf(asked: Asked): string {
    asked.hashKey ??= readHashKey(asked.req, { custom: host.vars, locals: asked.locals });
    return asked.hashKey;
  }

  return {
    instances,
    names: instances.map(({ name }) => name),
    priorities: tiers.map(({ priority }) => priority),
    limits: limitsOf(config),
    logging: config.logging,
    withheldHeaders: withheldHeaders(injected, isForwarded),
    isForwarded,
    injectedHeaders: injected,
    passthrough: config.passthrough,
    ...makeJudge(config),
    next(asked, isOut) {
      const key = hashes ? hashKeyOf(asked) : '';
      for (const tier of tiers) {
        const instance = tier.balancer.pick(key, isOut);
        if (instance !== undefined) return instance;
      }
      return undefined;
    },
    hasNext: (isOut) => tiers.some(({ targets }) => targets.some((instance) => !isOut(instance))),
    refusal(asked, instance) {
      if (!instance.routes.has(asked.protocol.name)) return 'protocol_not_supported';
      return config.fallback.onRateLimit && asked.quota?.isSpent(instance.name) ? 'rate_limited' : undefined;
    },
    close() {
      for (const instance of instances) instance.transport.close();
    },
  };
}
