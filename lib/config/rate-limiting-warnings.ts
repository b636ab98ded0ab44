import type { Logger } from '../host.ts';
import { hasVariables } from '../request/variable-template.ts';
import type { DefaultedAiRateLimitingConfig } from './generated/ai-rate-limiting-defaulted.ts';
import { formatPath } from './json-path.ts';

/** The field that gives away which policy was meant. */
const ADDRESSES = {
  redis_host: 'redis',
  redis_cluster_nodes: 'redis-cluster',
  redis_sentinels: 'redis-sentinel',
} as const;

/** Warns of what is valid and yet will not do what its author hopes for. */
export function warnOfRateLimiting(config: DefaultedAiRateLimitingConfig, logger: Logger): void {
  const { limit_strategy, cost_expr, policy, rules } = config;
  if (cost_expr !== undefined && limit_strategy !== 'expression') {
    logger.warn({ path: 'cost_expr' }, `does nothing under the limit_strategy "${limit_strategy}"`);
  }
  for (const [field, meant] of Object.entries(ADDRESSES)) {
    if (!(field in config) || policy === meant) continue;
    logger.warn({ path: field }, `does nothing under the policy "${policy}"; did you mean "${meant}"?`);
  }
  if (rules?.length === 0) logger.warn({ path: 'rules' }, 'holds no rule: nothing is limited');
  for (const [index, { key }] of (rules ?? []).entries()) {
    if (hasVariables(key)) continue;
    logger.warn(
      { path: formatPath(['rules', index, 'key']) },
      'holds no variable: the rule applies to no request',
    );
  }
}
