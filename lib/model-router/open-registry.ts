import { checkResource } from '../config/check-resource.ts';
import { AdminError } from './admin/admin-error.ts';
import { OvertakenError } from './admin/overtaken-error.ts';
import type { ModelRegistry, WrittenModelRouter } from './admin/registry.ts';
import type { CurrentConfig } from './current-config.ts';
import { modelStatus } from './model-status.ts';
import type { RouterHost } from './router-host.ts';

/** Whoever keeps it may change it. */
function copyOf(config: WrittenModelRouter): WrittenModelRouter {
  return JSON.parse(JSON.stringify(config));
}

/**
 * What the admin API reads and changes.
 *
 * @param ready resolves when the store's configuration is in force: to false where it could not be used
 */
export function openRegistry(
  current: CurrentConfig,
  { store, logger }: RouterHost,
  ready: Promise<boolean>,
): ModelRegistry {
  let hasWarned = false;

  async function save(config: WrittenModelRouter): Promise<void> {
    if (store !== undefined) {
      await store.save(copyOf(config));
      return;
    }
    if (!hasWarned)
      logger.warn({}, 'there is no host.store: what the admin API changes ends with the process');
    hasWarned = true;
  }

  return {
    ready,
    current: () => current.written,
    check: checkResource,
    async replace(next) {
      const base = current.written;
      if (!(await ready)) {
        throw new AdminError(503, 'What host.store holds could not be used, and must not be overwritten.');
      }
      const loaded = current.load(next);
      await save(next);
      if (current.written === base) {
        current.swapWritten(next, loaded);
        return;
      }
      // What has just been saved may never be in force.
      await save(current.written);
      throw new OvertakenError();
    },
    status: () => modelStatus(current.table),
  };
}
