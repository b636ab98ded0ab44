import type { Gateway } from '../gateway.ts';
import type { Instance, Plan } from '../plan.ts';
import type { QuotaLeft } from '../quota.ts';
import type { CooldownStatus, GatewayStatus, InstanceStatus, QuotaStatus } from '../status.ts';

/** The instance's place among the others of its priority. */
interface Tier {
  readonly index: number;
  readonly weight: number;
  readonly members: number;
  readonly attempts: number;
}

function quotaStatus({ limit, remaining, resetsAtMs }: QuotaLeft): QuotaStatus {
  const reset = resetsAtMs === undefined ? {} : { resets_at: new Date(resetsAtMs).toISOString() };
  return { limit, remaining, ...reset };
}

function cooldownStatus({ cooldown }: Instance): CooldownStatus | undefined {
  if (cooldown?.isCooling(Date.now()) !== true) return undefined;
  const { untilMs, reason } = cooldown;
  if (untilMs === undefined || reason === undefined) return undefined;
  return { until: new Date(untilMs).toISOString(), reason };
}

function shareOf({ weight, stats }: Instance, tier: Tier): InstanceStatus['share'] {
  const configured = tier.weight === 0 ? 1 / tier.members : weight / tier.weight;
  return tier.attempts === 0 ? { configured } : { configured, actual: stats.attempts / tier.attempts };
}

function instanceStatus(instance: Instance, tier: Tier, nowMs: number): InstanceStatus {
  const { name, provider, model, priority, weight, stats, transport, health } = instance;
  const latency = stats.latency.percentiles(nowMs);
  const firstToken = stats.timeToFirstToken.percentiles(nowMs);
  const { lastError, quota } = stats;
  const cooling = cooldownStatus(instance);
  return {
    name,
    provider,
    ...(model === undefined ? {} : { model }),
    priority,
    weight,
    tier: tier.index,
    health: health?.status() ?? { state: 'unchecked' },
    ...(cooling === undefined ? {} : { cooldown: cooling }),
    share: shareOf(instance, tier),
    in_flight: stats.inFlight,
    attempts: stats.attempts,
    answers: { ...stats.answers },
    failures: {
      refused: stats.failures.refused,
      reset: stats.failures.reset,
      timed_out: stats.failures.timedOut,
      other: stats.failures.other,
    },
    fallbacks: { ...stats.fallbacks },
    replays: transport.replays,
    tokens: { ...stats.tokens },
    ...(quota === undefined ? {} : { quota: quotaStatus(quota) }),
    ...(latency === undefined ? {} : { latency_ms: latency }),
    ...(firstToken === undefined ? {} : { time_to_first_token_ms: firstToken }),
    minutes: stats.minutes.status(nowMs),
    ...(lastError === undefined ? {} : { last_error: lastError }),
  };
}

/** Tiers by priority, in the order in which they are tried. */
function tiersOf({
  instances,
  priorities,
}: Pick<Plan, 'instances' | 'priorities'>): ReadonlyMap<number, Tier> {
  const tiers = priorities.map((priority, index): [number, Tier] => {
    const members = instances.filter((instance) => instance.priority === priority);
    const sum = (numberOf: (instance: Instance) => number): number =>
      members.reduce((total, instance) => total + numberOf(instance), 0);
    return [
      priority,
      {
        index,
        members: members.length,
        weight: sum(({ weight }) => weight),
        attempts: sum(({ stats }) => stats.attempts),
      },
    ];
  });
  return new Map(tiers);
}

/** What `status()` gives: plain JSON, without secrets. */
export function gatewayStatus(
  plan: Pick<Plan, 'instances' | 'priorities'>,
  { inFlight, stats }: Pick<Gateway, 'inFlight' | 'stats'>,
): GatewayStatus {
  const nowMs = performance.now();
  const tiers = tiersOf(plan);
  return {
    in_flight: inFlight,
    requests: { ...stats.requests },
    instances: plan.instances.flatMap((instance) => {
      const tier = tiers.get(instance.priority);
      return tier === undefined ? [] : instanceStatus(instance, tier, nowMs);
    }),
    recent_fallbacks: stats.recentFallbacks,
  };
}
