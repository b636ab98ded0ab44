import { copyAgain } from './copy-json.ts';
import { fillId, NAME_FIELDS, type ResourceKind } from './derived-id.ts';
import { isJsonObject, type JsonObject } from './json.ts';
import type { JsonPath } from './json-path.ts';
import type { LoadOptions } from './load-options.ts';
import type { PartLoader } from './part-loader.ts';
import type { Placed } from './placed.ts';
import { loadResource, NO_RESOURCE, type ResourceCheck } from './router-resources.ts';
import { isSameJson } from './same-json.ts';

/** One resource, as somebody has written it and as it has been read. */
export interface KnownResource<Made> {
  /** Never changed. */
  readonly source: JsonObject;
  /** Derived from its name where it was written without one. */
  readonly id: unknown;
  /** `undefined` where something is wrong with it. */
  readonly made: Made | undefined;
}

/** By their names, nothing wrong with any of them. */
export type KnownResources<Made> = ReadonlyMap<unknown, KnownResource<Made>>;

/** How the resources of one kind are read. */
export interface Reading<Config, Made> {
  readonly kind: ResourceKind;
  readonly check: ResourceCheck<Config>;
  /** What becomes of one with nothing wrong in itself. */
  readonly make: (config: Config) => Made;
}

/** All resources of one kind. */
export interface LoadedList<Made> {
  readonly kind: ResourceKind;
  /** At their indices; `undefined` for what is no resource, which is a fault already. */
  readonly resources: readonly (KnownResource<Made> | undefined)[];
  readonly byName: KnownResources<Made>;
}

/**
 * No resources where something else than a list stands, which the schema complains about.
 *
 * @param known what is written as one of these is taken for it: neither checked again, nor is what is unknown in it
 *   warned of again
 */
export function loadList<Config, Made>(
  whole: JsonObject,
  { kind, check, make }: Reading<Config, Made>,
  known: KnownResources<Made>,
  parts: PartLoader,
  options: LoadOptions,
): LoadedList<Made> {
  const list = whole[kind];
  const items: readonly unknown[] = Array.isArray(list) ? list : [];
  const byName = new Map<unknown, KnownResource<Made>>();

  function read(item: unknown, index: number): KnownResource<Made> | undefined {
    if (!isJsonObject(item)) {
      parts.refuse([kind, index], NO_RESOURCE);
      return undefined;
    }
    const before = known.get(item[NAME_FIELDS[kind]]);
    if (before !== undefined && isSameJson(before.source, item)) return before;
    const copy = copyAgain(item);
    fillId(kind, copy);
    const made = parts.load([kind, index], (logger) => make(loadResource(copy, check, logger, options)));
    return { source: item, id: copy.id, made };
  }

  const resources = items.map(read);
  for (const resource of resources) {
    if (resource !== undefined) byName.set(resource.source[NAME_FIELDS[kind]], resource);
  }
  return { kind, resources, byName };
}

/** As they were written, their ids filled in, with their places. */
export function placedOf({ kind, resources }: LoadedList<unknown>): readonly Placed[] {
  return resources.flatMap((resource, index) => {
    if (resource === undefined) return [];
    const { source, id } = resource;
    return [{ path: [kind, index], object: id === undefined ? source : { ...source, id } }];
  });
}

/** A resource that is right in itself, and its place. */
export interface Checked<Made> {
  readonly path: JsonPath;
  readonly made: Made;
}

export function checkedOf<Made>({ kind, resources }: LoadedList<Made>): readonly Checked<Made>[] {
  return resources.flatMap((resource, index) =>
    resource?.made === undefined ? [] : [{ path: [kind, index], made: resource.made }],
  );
}

/** The same without their places, of which ten thousand would take their time. */
export function madeOf<Made>({ resources }: LoadedList<Made>): readonly Made[] {
  const made: Made[] = [];
  for (const resource of resources) if (resource?.made !== undefined) made.push(resource.made);
  return made;
}
