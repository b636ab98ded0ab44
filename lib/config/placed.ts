import { isJsonObject, type JsonObject } from './json.ts';
import type { JsonPath } from './json-path.ts';

/** An object of a configuration together with its place, since messages speak of the user's own form. */
export interface Placed {
  readonly path: JsonPath;
  readonly object: JsonObject;
}

/** The objects of a list in a configuration that lies at `path`; whatever else stands in it the schema complains about. */
export function placedItems(config: unknown, listName: string, path: JsonPath = []): readonly Placed[] {
  const list = isJsonObject(config) ? config[listName] : undefined;
  if (!Array.isArray(list)) return [];
  return list.flatMap((object: unknown, index) =>
    isJsonObject(object) ? [{ path: [...path, listName, index], object }] : [],
  );
}

/** An object within an object, nothing if something else or nothing stands there. */
export function placedField({ path, object }: Placed, name: string): readonly Placed[] {
  const field = object[name];
  return isJsonObject(field) ? [{ path: [...path, name], object: field }] : [];
}
