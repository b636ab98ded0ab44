import type { WrittenModelRouter } from './registry.ts';

/** Keeps a configuration beyond the life of the process. `fileStore` makes one. */
export interface ModelRouterStore {
  /**
   * What was saved last; `undefined` or null where nothing ever was. It is checked like any configuration. Where it
   * rejects, takes longer than 30 s, or resolves to something invalid, nothing is saved as long as the process runs:
   * that would overwrite what is there.
   */
  load(): Promise<unknown>;
  /**
   * Resolves once the configuration will survive; a rejection undoes the change it was called for. So does taking
   * longer than 30 s: what was in force is then saved anew as soon as this settles, and until then no change is taken
   * (503). It holds `$env://` and `$secret://` references as they were written, and keys that were written out.
   */
  save(config: WrittenModelRouter): Promise<void>;
}
