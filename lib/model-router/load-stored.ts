import { ConfigError } from '../config/config-error.ts';
import { isJsonObject } from '../config/json.ts';
import { NO_RESOURCE } from '../config/router-resources.ts';
import { unexpectedError } from '../unexpected-error.ts';
import type { CurrentConfig } from './current-config.ts';
import type { RouterHost } from './router-host.ts';
import { patiently } from './store-patience.ts';

/** A store's own message may quote what it holds. */
function describe(error: unknown): object {
  return error instanceof ConfigError ? { error: error.name, faults: error.errors } : unexpectedError(error);
}

/**
 * Puts what the store holds in force, if it holds anything. What cannot be loaded, or is invalid, is logged, and the
 * configuration that was given stays: a gateway that serves by its first configuration is better than none. Never
 * rejects; resolves to whether all is well, and changes may be saved.
 */
export async function loadStored(current: CurrentConfig, { store, logger }: RouterHost): Promise<boolean> {
  if (store === undefined) return true;
  const given = current.table;
  try {
    const stored = await patiently(store.load());
    // Databases say null for what they do not have.
    if (stored === undefined || stored === null) return true;
    // The text of a configuration must not be quoted.
    if (!isJsonObject(stored)) throw new ConfigError([{ path: '', message: NO_RESOURCE }]);
    if (current.table === given) current.swap(stored);
    else logger.warn({}, 'the stored configuration came after an update, which stays');
    return true;
  } catch (error) {
    logger.error(describe(error), 'the stored configuration cannot be used; the given one stays');
    return false;
  }
}
