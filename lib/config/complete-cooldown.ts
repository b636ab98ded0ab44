import type { DefaultedCooldownConfig } from './generated/model-defaulted.ts';
import type { LoadedCooldown } from './loaded-cooldown.ts';

/** `undefined` for one that is switched off. */
export function completeCooldown(config: DefaultedCooldownConfig): LoadedCooldown | undefined {
  if (!config.enabled || config.default_seconds === 0) return undefined;
  return {
    triggerStatuses: config.trigger_statuses,
    triggerOnTimeout: config.trigger_on_timeout,
    triggerOnTransport: config.trigger_on_transport,
    defaultMs: config.default_seconds * 1000,
    maxMs: config.max_seconds * 1000,
    honorRetryAfter: config.honor_retry_after,
  };
}
