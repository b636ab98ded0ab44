import { checkResource } from '../config/check-resource.ts';
import { unexpectedError } from '../unexpected-error.ts';
import { AdminError } from './admin/admin-error.ts';
import type { ModelRouterStore } from './admin/model-router-store.ts';
import { OvertakenError } from './admin/overtaken-error.ts';
import type { ModelRegistry, WrittenModelRouter } from './admin/registry.ts';
import type { CurrentConfig } from './current-config.ts';
import { modelStatus } from './model-status.ts';
import type { RouterHost } from './router-host.ts';
import { patiently } from './store-patience.ts';

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
  /** A change was given up, but may still reach the store. */
  let isOverdue = false;

  /** What comes late must not be what the next process begins with: nobody was told that it was saved. */
  async function undo(late: Promise<void>, to: ModelRouterStore): Promise<void> {
    isOverdue = true;
    try {
      await late;
      await to.save(copyOf(current.written));
    } catch (error) {
      logger.error(unexpectedError(error), 'host.store has failed after its time was up');
    }
    isOverdue = false;
  }

  async function saveIn(to: ModelRouterStore, config: WrittenModelRouter): Promise<void> {
    if (isOverdue) {
      throw new AdminError(503, 'host.store has not answered an earlier change yet.', {
        'retry-after': '10',
      });
    }
    let isPending = true;
    // Not every store is written in TypeScript: one may return nothing.
    const saving = Promise.resolve(to.save(copyOf(config))).finally(() => {
      isPending = false;
    });
    try {
      await patiently(saving);
    } catch (error) {
      if (!isPending) throw error;
      undo(saving, to);
      throw new AdminError(503, 'host.store does not answer; the configuration in force has not changed.');
    }
  }

  async function save(config: WrittenModelRouter): Promise<void> {
    if (store !== undefined) {
      await saveIn(store, config);
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
