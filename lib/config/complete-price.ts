import type { DefaultedCostConfig } from './generated/model-defaulted.ts';

/** What models are ranked by: USD for 1,000 tokens of input and as many of output. */
export function completePrice({ input_per_1k, output_per_1k }: DefaultedCostConfig): number {
  return input_per_1k + output_per_1k;
}
