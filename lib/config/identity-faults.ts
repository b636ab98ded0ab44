import type { ConfigFault } from './config-error.ts';
import { derivedId, NAME_FIELDS, type ResourceKind } from './derived-id.ts';
import { duplicateFaults } from './duplicate-faults.ts';
import type { JsonObject } from './json.ts';
import type { Placed } from './placed.ts';

function withoutRepeats(items: readonly Placed[], field: string): readonly Placed[] {
  const seen = new Set<unknown>();
  return items.filter(({ object }) => {
    if (seen.has(object[field])) return false;
    seen.add(object[field]);
    return true;
  });
}

/**
 * Gives an id to a resource that lacks one, in place; one without a name has worse faults.
 *
 * @returns whether it has an id that somebody has written
 */
export function fillId(kind: ResourceKind, resource: JsonObject): boolean {
  if (resource.id !== undefined) return true;
  const name = resource[NAME_FIELDS[kind]];
  if (typeof name === 'string') resource.id = derivedId(kind, name);
  return false;
}

/**
 * A fault for every resource whose name, or else whose id, repeats an earlier one's.
 *
 * @param hasWrittenIds whether any has an id that is not derived: those differ as the names do
 */
export function identityFaults(
  kind: ResourceKind,
  items: readonly Placed[],
  hasWrittenIds: boolean,
): readonly ConfigFault[] {
  const field = NAME_FIELDS[kind];
  const ofNames = duplicateFaults(items, field);
  if (!hasWrittenIds) return ofNames;
  // Of the same name, a derived id is the same, too, which need not be said.
  const others = ofNames.length === 0 ? items : withoutRepeats(items, field);
  return [...ofNames, ...duplicateFaults(others, 'id')];
}
