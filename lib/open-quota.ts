import type { IncomingMessage } from 'node:http';
import type { Admission } from './admission.ts';
import { writeQuota } from './ai-rate-limiting/write-quota.ts';
import { GatewayError } from './answer/gateway-error.ts';
import type { Limiter, Quota, QuotaTold } from './quota.ts';

/** The caller's own limits stand in place of the route's. */
function limitersOf({ consumerLimiter, limiters }: Admission): readonly Limiter[] {
  return consumerLimiter === undefined ? limiters : [consumerLimiter];
}

function waitSeconds(quota: Quota, instance: string): number {
  return (quota.isSpent(instance) && quota.rejection([instance]).retryAfterSeconds) || 1;
}

/** In the words of the first that refuses. Any of the instances will do again, but each only when all limiters let it. */
function combinedRejection(quotas: readonly [Quota, ...Quota[]], instances: readonly string[]): GatewayError {
  const spent = quotas.find((quota) => instances.some((instance) => quota.isSpent(instance)));
  const { status, code, message } = (spent ?? quotas[0]).rejection(instances);
  const waits = instances.map((instance) => Math.max(...quotas.map((quota) => waitSeconds(quota, instance))));
  return new GatewayError(status, 'quota_exceeded', message, {
    quotedCode: code,
    retryAfterSeconds: Math.min(...waits),
  });
}

/** Several limiters in a row: each has its say, and each is charged. */
function combine(quotas: readonly [Quota, ...Quota[]]): Quota {
  const tell = (instances: readonly string[]): readonly QuotaTold[] =>
    quotas.flatMap((quota) => quota.tell(instances));
  return {
    async look(instances) {
      // Each in a promise of its own: what one throws must not leave another's rejection to nobody.
      await Promise.all(quotas.map(async (quota) => quota.look(instances)));
    },
    isSpent: (instance) => quotas.some((quota) => quota.isSpent(instance)),
    rejection: (instances) => combinedRejection(quotas, instances),
    tell,
    headers: (instances) => writeQuota(tell(instances)),
    left: (instance) => quotas.map((quota) => quota.left(instance)).find((left) => left !== undefined),
    settle(instance, consumption) {
      for (const quota of quotas) quota.settle(instance, consumption);
    },
  };
}

/** What limits a request, by what the middlewares in front have said; `undefined` where nothing does. */
export function openQuota(
  admission: Admission,
  req: IncomingMessage,
  locals: Readonly<Record<string, unknown>>,
): Quota | undefined {
  const limiters = limitersOf(admission);
  const [only] = limiters;
  if (limiters.length < 2) return only?.open(req, locals);
  const [first, ...others] = limiters.flatMap((limiter) => limiter.open(req, locals) ?? []);
  return first === undefined || others.length === 0 ? first : combine([first, ...others]);
}
