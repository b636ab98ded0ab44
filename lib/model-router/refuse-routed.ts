import type { GatewayError } from '../answer/gateway-error.ts';
import type { Exchange } from '../exchange.ts';
import { secondsUntilNext } from '../health/runtime-state.ts';
import type { Refusal } from '../plan.ts';
import type { ServedModel } from './compile-model.ts';
import { invalidRequest, ipRestricted, rateLimited, refusal } from './refusals.ts';

function unavailable({ seats }: ServedModel, nowMs: number): GatewayError {
  const states = [...seats.values()].map(({ target: { instance, check } }) => ({
    cooldown: instance.cooldown,
    check,
  }));
  return refusal(503, 'all_candidates_unavailable', 'No target of the model is available now.', {
    retryAfterSeconds: secondsUntilNext(states, nowMs),
  });
}

function limited({ seats }: ServedModel): GatewayError {
  const nowMs = Date.now();
  const waits = [...seats.values()].flatMap(({ target: { meter } }) => meter?.waitMs(nowMs) || []);
  return rateLimited(waits.length === 0 ? 0 : Math.min(...waits));
}

/** Why no target could be tried at all. What may change soon is said before what will not. */
export function refuseRouted(exchange: Exchange, model: ServedModel, nowMs: number): GatewayError {
  const skipped = exchange.attempts.flatMap((attempt) => ('skipped' in attempt ? [attempt] : []));
  const reasons = new Set<string>(skipped.map(({ skipped: reason }) => reason));
  const has = (reason: Refusal): boolean => reasons.has(reason);
  const spent = skipped.filter(({ instance }) => exchange.quota?.isSpent(instance));
  if (spent.length > 0 && exchange.quota !== undefined) {
    return exchange.quota.rejection(spent.map(({ instance }) => instance));
  }
  if (has('unhealthy') || has('cooldown')) return unavailable(model, nowMs);
  if (has('rate_limited')) return limited(model);
  if (has('ip_restricted')) return ipRestricted();
  if (has('tags_differ')) return invalidRequest('No target of the model has one of the routing tags.');
  return invalidRequest(`No target of the model speaks ${exchange.protocol.name}.`);
}
