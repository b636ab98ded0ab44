import { isJsonObject, type JsonObject } from '../../config/json.ts';
import { maskSecrets, type RestoredSecrets, restoreSecrets } from './masked-secrets.ts';
import type { Resource, ResourceKind, WrittenModelRouter } from './registry.ts';

interface KindOfResource {
  /** One of them, for messages. */
  readonly noun: string;
  /** Below `/admin/v1/`. */
  readonly paths: readonly string[];
  /** No two have the same value in this field. */
  readonly uniqueField: 'display_name' | 'key_hash';
  /** The names of what would not work without it. */
  readonly usersOf: (resource: Resource, config: WrittenModelRouter) => readonly unknown[];
  /** As it may be shown. */
  readonly show: (value: JsonObject) => JsonObject;
  /** What somebody means who read it as it is shown, changed something and wrote it. */
  readonly restore: (written: JsonObject, old: Resource | undefined) => RestoredSecrets;
}

const withoutSecrets: Pick<KindOfResource, 'show' | 'restore'> = {
  show: (value) => value,
  restore: (value) => ({ value, faults: [] }),
};

function hasTarget({ routing }: Resource, name: unknown): boolean {
  const targets: unknown = isJsonObject(routing) ? routing.targets : undefined;
  return Array.isArray(targets) && targets.some((target) => isJsonObject(target) && target.model === name);
}

/** What the kinds have of their own. */
export const RESOURCE_KINDS: Readonly<Record<ResourceKind, KindOfResource>> = {
  models: {
    noun: 'model',
    paths: ['models'],
    uniqueField: 'display_name',
    usersOf: ({ display_name: name }, { models }) =>
      models.filter((model) => hasTarget(model, name)).map((model) => model.display_name),
    ...withoutSecrets,
  },
  provider_keys: {
    noun: 'provider key',
    paths: ['provider_keys'],
    uniqueField: 'display_name',
    usersOf: ({ id, display_name: name }, { models }) =>
      models
        .filter(
          (model) => model.provider_key_id === id || (name !== undefined && model.provider_key === name),
        )
        .map((model) => model.display_name),
    show: maskSecrets,
    restore: (written, old) => restoreSecrets(written, old ?? {}),
  },
  api_keys: {
    noun: 'caller key',
    paths: ['apikeys', 'api_keys'],
    uniqueField: 'key_hash',
    usersOf: () => [],
    ...withoutSecrets,
  },
};
