import { ConfigError } from '../config/config-error.ts';
import { within } from '../within.ts';
import type { CurrentConfig } from './open-registry.ts';
import type { RouterHost } from './router-host.ts';

/** A store that never answers must not keep callers waiting for good. */
const PATIENCE_MS = 30_000;

/**
 * Puts what the store holds in force, if it holds anything. What cannot be loaded, or is invalid, is logged, and the
 * configuration that was given stays: a gateway that serves by its first configuration is better than none. Never
 * rejects.
 */
export async function loadStored(current: CurrentConfig, host: RouterHost): Promise<void> {
  if (host.store === undefined) return;
  try {
    const stored = await within(PATIENCE_MS, host.store.load(), 'no answer');
    if (stored !== undefined) current.swap(stored);
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'unknown';
    const faults = error instanceof ConfigError ? error.errors : undefined;
    host.logger.error({ reason, faults }, 'the stored configuration cannot be used; the given one stays');
  }
}
