import { isJsonObject, type JsonObject } from './json.ts';
import type { JsonPath } from './json-path.ts';
import type { Placed } from './placed.ts';

/** One of several things that people keep in an array, or in an object by their ids. */
export interface Entry {
  readonly path: JsonPath;
  readonly value: unknown;
}

/** Fills in the id; one that is a number becomes text, in which form it is referred to. */
function withId(entry: Entry, otherwise: string | undefined): Entry {
  if (!isJsonObject(entry.value)) return entry;
  const { id = otherwise } = entry.value;
  if (id !== undefined) entry.value.id = typeof id === 'number' && id >= 1 ? String(id) : id;
  return entry;
}

/** The entries of a list in either form, with their ids; `nameItem` gives one to those in an array that lack it. */
export function entriesOf(
  config: JsonObject,
  listName: string,
  nameItem?: (index: number) => string,
): readonly Entry[] {
  const list = config[listName];
  if (Array.isArray(list)) {
    return list.map((value: unknown, index) => withId({ path: [listName, index], value }, nameItem?.(index)));
  }
  if (!isJsonObject(list)) return [];
  return Object.entries(list).map(([name, value]) => withId({ path: [listName, name], value }, name));
}

/** Those among the entries that can be looked into. */
export function placedEntries(entries: readonly Entry[]): readonly Placed[] {
  return entries.flatMap(({ path, value }) => (isJsonObject(value) ? [{ path, object: value }] : []));
}
