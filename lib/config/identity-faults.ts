import type { ConfigFault } from './config-error.ts';
import { NAME_FIELDS } from './derived-id.ts';
import { duplicateFaults } from './duplicate-faults.ts';
import { type LoadedList, placedOf } from './load-list.ts';
import type { Placed } from './placed.ts';

function withoutRepeats(items: readonly Placed[], field: string): readonly Placed[] {
  const seen = new Set<unknown>();
  return items.filter(({ object }) => {
    if (seen.has(object[field])) return false;
    seen.add(object[field]);
    return true;
  });
}

function areDistinct({ resources, byName }: LoadedList<unknown>): boolean {
  if (byName.size < resources.length) return false;
  // Derived ids differ as the names do.
  if (resources.every((resource) => resource?.source.id === undefined)) return true;
  return new Set(resources.map((resource) => resource?.id)).size === resources.length;
}

/** A fault for every resource whose name, or else whose id, repeats an earlier one's. */
export function identityFaults(list: LoadedList<unknown>): readonly ConfigFault[] {
  // A place for each of ten thousand is only made where one is to be named.
  if (areDistinct(list)) return [];
  const items = placedOf(list);
  const field = NAME_FIELDS[list.kind];
  const ofNames = duplicateFaults(items, field);
  // Of the same name, a derived id is the same, too, which need not be said.
  const others = ofNames.length === 0 ? items : withoutRepeats(items, field);
  return [...ofNames, ...duplicateFaults(others, 'id')];
}
