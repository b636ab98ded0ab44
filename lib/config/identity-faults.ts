import type { ConfigFault } from './config-error.ts';
import { derivedId, NAME_FIELDS, type ResourceKind } from './derived-id.ts';
import { duplicateFaults } from './duplicate-faults.ts';
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
 * Gives an id to the resources that lack one, in place; one without a name has worse faults.
 *
 * @returns whether any has an id that somebody has written
 */
export function fillIds(kind: ResourceKind, items: readonly Placed[]): boolean {
  let hasWritten = false;
  for (const { object } of items) {
    const name = object[NAME_FIELDS[kind]];
    if (object.id !== undefined) hasWritten = true;
    else if (typeof name === 'string') object.id = derivedId(kind, name);
  }
  return hasWritten;
}

/**
 * A fault for every resource whose name, or else whose id, repeats an earlier one's.
 *
 * @param hasWrittenIds what `fillIds` has said: ids that are derived differ as the names do
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
