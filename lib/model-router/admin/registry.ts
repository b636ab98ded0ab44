import type { ConfigFault } from '../../config/config-error.ts';
import type { ModelStatusRow } from './model-status-row.ts';

/** The three lists of a model router's configuration; each is a kind of resource. */
export type ResourceKind = 'models' | 'provider_keys' | 'api_keys';

/** A resource in the form it was written: no default filled in, no reference resolved. */
export interface Resource {
  readonly id: string;
  readonly [field: string]: unknown;
}

/** A whole configuration in the form it was written, except that every resource has its id. */
export interface WrittenModelRouter {
  readonly provider_keys: readonly Resource[];
  readonly models: readonly Resource[];
  /** Absent: whoever calls is the host application's business. Empty: nobody may call. */
  readonly api_keys?: readonly Resource[] | undefined;
}

/** What the admin API reads and changes. */
export interface ModelRegistry {
  /** Resolves when there is something to read and to change. Default: there is. */
  readonly ready?: Promise<unknown>;
  /** The configuration in force. What it returns is never changed. */
  current(): WrittenModelRouter;
  /** What is wrong with a resource by itself, fields that do not exist included. It comes without its id. */
  check(kind: ResourceKind, value: unknown): readonly ConfigFault[];
  /**
   * Checks a whole configuration, hands it to the store, then puts it in force. It has been made of the current one
   * just before the call.
   *
   * @throws ConfigError where it does not hold together, OvertakenError where the current one was replaced while the
   *   store was saving, AdminError 503 where nothing may be saved, or what the store throws; nothing has changed then
   */
  replace(next: WrittenModelRouter): Promise<void>;
  /** The state of every model now. */
  status(): readonly ModelStatusRow[];
}
