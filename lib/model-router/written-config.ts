import { takeCopy } from '../config/check-config.ts';
import { fillId } from '../config/derived-id.ts';
import { placedItems } from '../config/placed.ts';
import { isObject } from '../protocols/json.ts';
import type { Resource, ResourceKind, WrittenModelRouter } from './admin/registry.ts';

function resourcesOf(config: unknown, kind: ResourceKind): readonly Resource[] {
  const placed = placedItems(config, kind);
  return placed.flatMap(({ object }) => {
    fillId(kind, object);
    const { id } = object;
    return typeof id === 'string' ? [{ ...object, id }] : [];
  });
}

/**
 * A configuration as somebody has written it, its ids filled in, to be shown and changed by the admin API.
 *
 * @param input one that has been loaded, and so is known to be right
 */
export function writtenConfig(input: unknown): WrittenModelRouter {
  const config = takeCopy(input);
  const hasCallers = isObject(config) && config.api_keys !== undefined;
  return {
    provider_keys: resourcesOf(config, 'provider_keys'),
    models: resourcesOf(config, 'models'),
    ...(hasCallers && { api_keys: resourcesOf(config, 'api_keys') }),
  };
}
