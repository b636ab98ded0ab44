import { hash } from 'node:crypto';
import type { JsonObject } from './json.ts';

/** The kinds of resources of a model router, by the lists they stand in. */
export type ResourceKind = 'models' | 'provider_keys' | 'api_keys';

/** What each kind is known by beside its id. */
export const NAME_FIELDS = {
  models: 'display_name',
  provider_keys: 'display_name',
  api_keys: 'key_hash',
} as const satisfies Record<ResourceKind, string>;

/**
 * The id of a resource that was written without one: always the same for the same name, in the form of a UUID of
 * version 8, which RFC 9562 §5.8 leaves to everybody's own ways.
 */
export function derivedId(kind: ResourceKind, name: string): string {
  const digits = hash('sha256', `${kind}\n${name}`);
  const last = digits.slice(16, 19);
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-8${digits.slice(13, 16)}-a${last}-${digits.slice(20, 32)}`;
}

/** Gives an id to a resource that lacks one, in place; one without a name has worse faults. */
export function fillId(kind: ResourceKind, resource: JsonObject): void {
  const name = resource[NAME_FIELDS[kind]];
  if (resource.id === undefined && typeof name === 'string') resource.id = derivedId(kind, name);
}
