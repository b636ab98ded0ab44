import type { Ending, Exchange } from '../exchange.ts';
import type { FallbackStatus } from '../status.ts';

const FALLBACKS_KEPT = 20;

/** What a gateway's requests have come to, since it was mounted. */
export class GatewayStats {
  readonly requests: Record<Ending, number> = {
    complete: 0,
    cut: 0,
    client_gone: 0,
    timeout: 0,
    rejected: 0,
  };
  readonly #fallbacks: FallbackStatus[] = [];

  /** A request has ended. */
  count({ tries, attempts, startedAt }: Exchange, ending: Ending): void {
    this.requests[ending]++;
    if (tries < 2) return;
    this.#fallbacks.unshift({
      at: new Date().toISOString(),
      attempts: attempts.flatMap((attempt) => {
        if ('skipped' in attempt) return [];
        const { duration_ms: _, ...shown } = attempt;
        return [shown];
      }),
      duration_ms: Math.round(performance.now() - startedAt),
    });
    if (this.#fallbacks.length > FALLBACKS_KEPT) this.#fallbacks.pop();
  }

  /** Newest first. */
  get recentFallbacks(): readonly FallbackStatus[] {
    return [...this.#fallbacks];
  }
}
