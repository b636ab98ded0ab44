import { CostSyntaxError, parseCostExpression } from '../ai-rate-limiting/cost-expression.ts';
import type { ConfigFault } from './config-error.ts';
import type { JsonObject } from './json.ts';
import type { CostExpression } from './loaded-rate-limiting.ts';

/** The compiled `cost_expr`, or what is wrong with it. Neither under a `limit_strategy` that does not look at it. */
interface CompiledCost {
  readonly compute?: CostExpression;
  readonly faults: readonly ConfigFault[];
}

export function compileCost({ limit_strategy, cost_expr }: JsonObject): CompiledCost {
  // What is no text or empty the schema complains about.
  if (limit_strategy !== 'expression' || typeof cost_expr !== 'string' || cost_expr === '') {
    return { faults: [] };
  }
  try {
    return { compute: parseCostExpression(cost_expr), faults: [] };
  } catch (error) {
    if (!(error instanceof CostSyntaxError)) throw error;
    return { faults: [{ path: 'cost_expr', message: error.message }] };
  }
}
