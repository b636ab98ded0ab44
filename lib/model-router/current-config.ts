import { takeCopy } from '../config/check-config.ts';
import { makeModelRouterLoader } from '../config/load-model-router.ts';
import type { LoadedModelRouter } from '../config/loaded-model-router.ts';
import type { WrittenModelRouter } from './admin/registry.ts';
import type { RouterHost } from './router-host.ts';
import { openTable, type RouterTable } from './router-table.ts';
import { makeTargetPool } from './target-pool.ts';
import { writtenConfig } from './written-config.ts';

/** A router's configuration, which can be replaced as a whole. */
export interface CurrentConfig {
  readonly table: RouterTable;
  /** The same one until the configuration is replaced, and never changed. */
  readonly written: WrittenModelRouter;
  /** @throws ConfigError for an invalid configuration */
  load(config: unknown): LoadedModelRouter;
  /**
   * Puts a configuration in force.
   *
   * @throws ConfigError for an invalid configuration, and changes nothing
   */
  swap(config: unknown): void;
  /** The same with what `load` has made of it. */
  swapWritten(config: WrittenModelRouter, loaded: LoadedModelRouter): void;
  /** What is put in force later is closed, too. */
  close(): void;
}

/** Made when the admin API asks for it: most routers have none. */
function writtenLater(source: unknown): () => WrittenModelRouter {
  let written: WrittenModelRouter | undefined;
  return () => {
    written ??= writtenConfig(source);
    return written;
  };
}

/** @throws ConfigError for an invalid configuration */
export function openConfig(config: unknown, host: RouterHost): CurrentConfig {
  const pool = makeTargetPool(host);
  const options = { hasSecretResolver: host.secret !== undefined };
  const loader = makeModelRouterLoader(host.logger, options);
  const source = takeCopy(config);
  let table = openTable(loader.load(source), undefined, pool, host);
  let written = writtenLater(source);
  let isClosed = false;

  function put(next: () => WrittenModelRouter, loaded: LoadedModelRouter): void {
    const replaced = table;
    table = openTable(loaded, replaced, pool, host);
    written = next;
    replaced.close();
    if (isClosed) table.close();
  }

  return {
    get table() {
      return table;
    },
    get written() {
      return written();
    },
    load: (input) => loader.load(takeCopy(input)),
    swap(input) {
      const source = takeCopy(input);
      put(writtenLater(source), loader.load(source));
    },
    swapWritten: (next, loaded) => put(() => next, loaded),
    close() {
      isClosed = true;
      table.close();
    },
  };
}
