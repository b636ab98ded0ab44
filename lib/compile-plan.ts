import { noInstance } from './answer/no-instance.ts';
import { type PresentOptions, presentAsIs } from './answer/present-as-is.ts';
import { hashKeyReader } from './balancer/hash-key.ts';
import { balancers } from './balancer/index.ts';
import { makeTiers } from './balancer/tiers.ts';
import type { LoadedConfig, LoadedInstance } from './config/loaded-config.ts';
import { SecretStore } from './config/references.ts';
import { type HealthChecks, makeHealthChecks } from './health/health-checks.ts';
import { warnWhenAllDown } from './health/warn-when-all-down.ts';
import type { Asked, AttemptRules, Instance, Plan, Refusal, Route } from './plan.ts';
import { protocols } from './protocols/index.ts';
import type { Protocol, ProtocolName } from './protocols/protocol.ts';
import { providers } from './providers/index.ts';
import type { Provider } from './providers/provider.ts';
import { protocolOfPath } from './request/recognise-protocol.ts';
import type { ResolvedHost } from './resolve-host.ts';
import { instanceMetrics } from './stats/instance-metrics.ts';
import { InstanceStats } from './stats/instance-stats.ts';
import { credentialsOf } from './upstream/credentials.ts';
import { HttpProxyTransport } from './upstream/http-proxy-transport.ts';
import { makeJudge } from './upstream/judge.ts';
import { forwardTest, withheldHeaders } from './upstream/request-headers.ts';
import { bodyRules } from './upstream/rewrite-body.ts';

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

function compileInstance(
  instance: LoadedInstance,
  endpoint: URL,
  config: LoadedConfig,
  secrets: SecretStore,
  checks: HealthChecks,
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
    metrics: instanceMetrics(stats, undefined),
    health,
    cooldown: undefined,
  };
}

/** Instances without an address are left out: they are never picked. */
function compileInstances(
  config: LoadedConfig,
  secrets: SecretStore,
  checks: HealthChecks,
): readonly Instance[] {
  return config.instances.flatMap((instance) => {
    const provider: Provider = providers[instance.provider];
    const endpoint = instance.endpoint ?? provider.origin;
    return endpoint === undefined
      ? []
      : [compileInstance(instance, new URL(endpoint), config, secrets, checks)];
  });
}

function attemptRulesOf(config: LoadedConfig): AttemptRules {
  return {
    silenceMs: config.timeout,
    totalMs: Number.POSITIVE_INFINITY,
    maxResponseBytes: config.max_response_bytes ?? Number.POSITIVE_INFINITY,
    maxStreamDurationMs: config.max_stream_duration_ms ?? Number.POSITIVE_INFINITY,
    readWhole: undefined,
  };
}

/**
 * Turns a checked configuration into what requests are served by.
 *
 * @param checks the middleware's, for whatever plan it has. Default: the plan's own
 */
export function compilePlan(
  config: LoadedConfig,
  host: ResolvedHost,
  checks: HealthChecks = makeHealthChecks(host),
): Plan {
  const instances = compileInstances(config, new SecretStore(host.secret), checks);
  const tiers = makeTiers(instances, host.priorityOrder, balancers[config.balancer.algorithm]);
  const targets = tiers.flatMap((tier) => tier.targets);
  const stopWarning = warnWhenAllDown(targets, host.logger);
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

  /** While every instance that could serve the request is unhealthy, a try is better than a sure failure. */
  function mustWait(instance: Instance, { protocol: { name } }: Asked): boolean {
    if (instance.health?.isOut !== true) return false;
    return targets.some(({ routes, health }) => health?.isOut !== true && routes.has(name));
  }

  const attemptRules = attemptRulesOf(config);
  const judge = makeJudge(config);

  function refusal(asked: Asked, instance: Instance): Refusal | undefined {
    if (!instance.routes.has(asked.protocol.name)) return 'protocol_not_supported';
    if (mustWait(instance, asked)) return 'unhealthy';
    return config.fallback.onRateLimit && asked.quota?.isSpent(instance.name) ? 'rate_limited' : undefined;
  }

  const presentOptions: PresentOptions = {
    servedByHeader: host.servedByHeader,
    passthrough: config.passthrough,
    // Also where `max_retries` would have ended it with that one.
    isExhausted(exchange, { outcome }) {
      if (judge.judge(0, outcome, 0) !== 'next') return false;
      const isLeft = (instance: Instance): boolean =>
        !exchange.out.has(instance) && refusal(exchange, instance) === undefined;
      return !targets.some(isLeft);
    },
  };

  return {
    instances,
    names: instances.map(({ name }) => name),
    priorities: tiers.map(({ priority }) => priority),
    limits: { timeoutMs: config.timeout, maxRequestBytes: config.max_req_body_size },
    logging: config.logging,
    withheldHeaders: withheldHeaders(injected, isForwarded),
    isForwarded,
    injectedHeaders: injected,
    ...judge,
    next(asked, isOut) {
      const key = hashes ? hashKeyOf(asked) : '';
      for (const tier of tiers) {
        const instance = tier.balancer.pick(key, isOut);
        if (instance !== undefined) return instance;
      }
      return undefined;
    },
    refuse: noInstance,
    attemptRules: () => attemptRules,
    refusal,
    present: (exchange, tried) => presentAsIs(exchange, tried, presentOptions),
    close() {
      stopWarning();
      for (const { transport, health } of instances) {
        transport.close();
        health?.release();
      }
    },
  };
}
