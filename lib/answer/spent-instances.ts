import type { Exchange } from '../exchange.ts';
import type { Instance } from '../plan.ts';

/** The instances that had no quota left for this request. */
export function spentInstances({ attempts }: Exchange): readonly string[] {
  return attempts.flatMap((attempt) =>
    'skipped' in attempt && attempt.skipped === 'rate_limited' ? attempt.instance : [],
  );
}

/** What tells the client its quota: on the instance it is answered from, and on those that had none left. */
export function quotaHeaders(exchange: Exchange, answering?: Instance): Record<string, string> {
  if (exchange.quota === undefined) return {};
  const spent = spentInstances(exchange);
  return exchange.quota.headers(answering === undefined ? spent : [...spent, answering.name]);
}
