import { completeStore } from './complete-store.ts';
import { fingerprint } from './fingerprint.ts';
import type { DefaultedAiRateLimitingConfig } from './generated/ai-rate-limiting-defaulted.ts';
import type {
  CostExpression,
  LoadedInstanceLimit,
  LoadedLimit,
  LoadedRateLimiting,
  LoadedRule,
  NumberOrTemplate,
} from './loaded-rate-limiting.ts';
import { readNumberOrTemplate } from './number-or-template.ts';

type Config = DefaultedAiRateLimitingConfig;

function completeLimit(limit: NumberOrTemplate, timeWindow: NumberOrTemplate): LoadedLimit {
  return { limit: readNumberOrTemplate(limit), timeWindow: readNumberOrTemplate(timeWindow) };
}

function completeInstances({ instances = [] }: Config): readonly LoadedInstanceLimit[] {
  return instances.map(({ name, limit, time_window }) => ({ name, ...completeLimit(limit, time_window) }));
}

function completeRules({ rules = [] }: Config): readonly LoadedRule[] {
  return rules.map(({ key, count, time_window, header_prefix }, index) => ({
    key,
    headerPrefix: header_prefix ?? String(index + 1),
    ...completeLimit(count, time_window),
  }));
}

/** A validated ai-rate-limiting configuration as the rest of the package sees it. */
export function completeRateLimiting(config: Config, cost: CostExpression | undefined): LoadedRateLimiting {
  const { limit, time_window, limit_strategy: strategy, cost_expr, rejected_msg } = config;
  const counted = {
    ...(limit !== undefined && time_window !== undefined && { global: completeLimit(limit, time_window) }),
    instances: completeInstances(config),
    rules: completeRules(config),
    strategy,
  };
  return {
    ...counted,
    ...(cost && { cost }),
    rejectedCode: config.rejected_code,
    ...(rejected_msg !== undefined && { rejectedMessage: rejected_msg }),
    showsHeaders: config.show_limit_quota_header,
    allowsDegradation: config.allow_degradation,
    store: completeStore(config),
    keyPrefix: config.redis_key_prefix,
    fingerprint: fingerprint(counted, cost && cost_expr),
  };
}
