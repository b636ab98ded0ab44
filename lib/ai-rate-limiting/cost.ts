import type { LoadedRateLimiting } from '../config/loaded-rate-limiting.ts';
import type { Consumption } from '../quota.ts';

/** What an answer costs by the strategy: a whole number, 0 for nothing. */
export type Cost = (consumption: Consumption) => number;

/** Chooses how answers are counted, once. */
export function costOf({ strategy, cost }: LoadedRateLimiting): Cost {
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
