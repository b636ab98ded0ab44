import type { LoadedRateLimiting } from '../config/loaded-rate-limiting.ts';
import type { Consumption } from '../quota.ts';
import { wholeCost } from './cost-expression.ts';

/** What an answer costs by the strategy: a whole number that can be counted, 0 for nothing. */
export type Cost = (consumption: Consumption) => number;

function rawCostOf({ strategy, cost }: LoadedRateLimiting): (consumption: Consumption) => number {
  switch (strategy) {
    case 'total_tokens':
      return ({ usage }) => usage.totalTokens;
    case 'prompt_tokens':
      return ({ usage }) => usage.promptTokens;
    case 'completion_tokens':
      return ({ usage }) => usage.completionTokens;
    case 'expression':
      return ({ rawUsage }) => cost?.(rawUsage) ?? 0;
  }
}

/** Chooses how answers are counted, once. An LLM may report any number, fractions too. */
export function costOf(config: LoadedRateLimiting): Cost {
  const rawCost = rawCostOf(config);
  return (consumption) => wholeCost(rawCost(consumption));
}
