import { noInstance } from './answer/no-instance.ts';
import { type PresentOptions, presentAsIs } from './answer/present-as-is.ts';
import { hashKeyReader } from './balancer/hash-key.ts';
import { balancers } from './balancer/index.ts';
import { makeTiers } from './balancer/tiers.ts';
import { compileInstance } from './compile-instance.ts';
import type { LoadedConfig } from './config/loaded-config.ts';
import { SecretStore } from './config/references.ts';
import type { ServingPlan } from './exchange.ts';
import { type HealthChecks, makeHealthChecks } from './health/health-checks.ts';
import { warnWhenAllDown } from './health/warn-when-all-down.ts';
import type { Asked, AttemptRules, Instance, Refusal } from './plan.ts';
import { providers } from './providers/index.ts';
import type { Provider } from './providers/provider.ts';
import type { ResolvedHost } from './resolve-host.ts';
import { makeJudge } from './upstream/judge.ts';
import { forwardTest, withheldHeaders } from './upstream/request-headers.ts';

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
): ServingPlan {
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

  /** Whether the strategy passes over an instance for its quota. */
  function isOutOfQuota({ name }: Instance, quota: Asked['quota']): boolean {
    return config.fallback.onRateLimit && quota?.isSpent(name) === true;
  }

  /**
   * Whether it is down, or benched by its failures. While every instance that could serve the request is, a try is
   * better than a sure failure, and one that is only benched better than one that is down.
   */
  function stateRefusal(instance: Instance, { protocol: { name }, quota }: Asked): Refusal | undefined {
    const isDown = instance.health?.isOut === true;
    if (!isDown && instance.cooldown === undefined) return undefined;
    const nowMs = Date.now();
    const isCooling = ({ cooldown }: Instance): boolean => cooldown?.isCooling(nowMs) === true;
    const others = targets.filter(
      (other) => other.health?.isOut !== true && other.routes.has(name) && !isOutOfQuota(other, quota),
    );
    if (isDown) return others.length > 0 ? 'unhealthy' : undefined;
    return isCooling(instance) && others.some((other) => !isCooling(other)) ? 'cooldown' : undefined;
  }

  const attemptRules = attemptRulesOf(config);
  const judge = makeJudge(config);

  function refusal(asked: Asked, instance: Instance): Refusal | undefined {
    if (!instance.routes.has(asked.protocol.name)) return 'protocol_not_supported';
    const state = stateRefusal(instance, asked);
    if (state !== undefined) return state;
    return isOutOfQuota(instance, asked.quota) ? 'rate_limited' : undefined;
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
    whole: undefined,
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
