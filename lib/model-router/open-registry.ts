import { checkResource } from '../config/check-resource.ts';
import type { ModelRegistry, WrittenModelRouter } from './admin/registry.ts';
import { modelStatus } from './model-status.ts';
import type { RouterHost } from './router-host.ts';
import type { RouterTable } from './router-table.ts';
import { writtenConfig } from './written-config.ts';

/** A router's configuration, which can be replaced as a whole. */
export interface CurrentConfig {
  readonly table: RouterTable;
  readonly written: WrittenModelRouter;
  /** @throws ConfigError for an invalid configuration */
  check(config: unknown): void;
  /** @throws ConfigError for an invalid configuration, and changes nothing */
  swap(config: unknown): void;
}

/**
 * What the admin API reads and changes.
 *
 * @param ready resolves when the store's configuration is in force
 */
export function openRegistry(
  current: CurrentConfig,
  { store, logger }: RouterHost,
  ready: Promise<void>,
): ModelRegistry {
  let hasWarned = false;

  async function save(config: WrittenModelRouter): Promise<void> {
    if (store !== undefined) {
      await store.save(config);
      return;
    }
    if (!hasWarned)
      logger.warn({}, 'there is no host.store: what the admin API changes ends with the process');
    hasWarned = true;
  }

  return {
    current: () => current.written,
    check: checkResource,
    async replace(next) {
      await ready;
      current.check(next);
      await save(writtenConfig(next));
      current.swap(next);
    },
    status: () => modelStatus(current.table),
  };
}
