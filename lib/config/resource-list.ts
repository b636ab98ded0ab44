import type { ConfigFault } from './config-error.ts';
import { copyAgain } from './copy-json.ts';
import { NAME_FIELDS, type ResourceKind } from './derived-id.ts';
import { fillId, identityFaults } from './identity-faults.ts';
import { isJsonObject, type JsonObject } from './json.ts';
import type { JsonPath } from './json-path.ts';
import type { LoadOptions } from './load-options.ts';
import type { PartLoader } from './part-loader.ts';
import type { Placed } from './placed.ts';
import { loadResource, NO_RESOURCE, type ResourceCheck } from './router-resources.ts';
import { isSameJson } from './same-json.ts';

/** One resource, as somebody has written it and as it has been read. */
export interface Resource<Made> {
  /** Never changed. */
  readonly source: JsonObject;
  /** Derived from its name where it was written without one. */
  readonly id: unknown;
  /** `undefined` where something is wrong with it. */
  readonly made: Made | undefined;
}

/** Resources by their names, nothing wrong with any of them. */
export type KnownResources<Made> = ReadonlyMap<unknown, Resource<Made>>;

/** How the resources of one kind are read. */
export interface Reading<Config, Made> {
  readonly kind: ResourceKind;
  readonly check: ResourceCheck<Config>;
  /** What becomes of one with nothing wrong in itself. */
  readonly make: (config: Config) => Made;
}

/** A resource that is right in itself, and its place. */
export interface Checked<Made> {
  readonly path: JsonPath;
  readonly made: Made;
}

function withId({ source, id }: Resource<unknown>): JsonObject {
  return source.id === undefined && id !== undefined ? { ...source, id } : source;
}

/** The resources of one kind, at their indices. Whatever else stands in the list is a fault already. */
export class ResourceList<Made> {
  readonly #kind: ResourceKind;
  readonly #resources: readonly (Resource<Made> | undefined)[];
  readonly byName: KnownResources<Made>;

  constructor(kind: ResourceKind, resources: readonly (Resource<Made> | undefined)[]) {
    this.#kind = kind;
    this.#resources = resources;
    const byName = new Map<unknown, Resource<Made>>();
    for (const resource of resources) {
      if (resource !== undefined) byName.set(resource.source[NAME_FIELDS[kind]], resource);
    }
    this.byName = byName;
  }

  /** As they were written, their ids filled in. */
  get placed(): readonly Placed[] {
    return this.#resources.flatMap((resource, index) =>
      resource === undefined ? [] : [{ path: [this.#kind, index], object: withId(resource) }],
    );
  }

  get checked(): readonly Checked<Made>[] {
    return this.#resources.flatMap((resource, index) =>
      resource?.made === undefined ? [] : [{ path: [this.#kind, index], made: resource.made }],
    );
  }

  /** The same without their places. */
  get made(): readonly Made[] {
    const made: Made[] = [];
    for (const resource of this.#resources) if (resource?.made !== undefined) made.push(resource.made);
    return made;
  }

  /** A fault for each that is known by the name or the id of an earlier one. */
  identityFaults(): readonly ConfigFault[] {
    const hasWrittenIds = this.#resources.some((resource) => resource?.source.id !== undefined);
    // A place for each of ten thousand is only made where one is to be named.
    return this.#areDistinct(hasWrittenIds) ? [] : identityFaults(this.#kind, this.placed, hasWrittenIds);
  }

  #areDistinct(hasWrittenIds: boolean): boolean {
    if (this.byName.size < this.#resources.length) return false;
    if (!hasWrittenIds) return true;
    const ids = new Set(this.#resources.map((resource) => resource?.id));
    return ids.size === this.#resources.length;
  }
}

/**
 * No resources where something else than a list stands, which the schema complains about.
 *
 * @param known what is written as one of these is taken for it: neither checked nor warned of again
 */
export function loadList<Config, Made>(
  whole: JsonObject,
  { kind, check, make }: Reading<Config, Made>,
  known: KnownResources<Made>,
  parts: PartLoader,
  options: LoadOptions,
): ResourceList<Made> {
  const list = whole[kind];
  const items: readonly unknown[] = Array.isArray(list) ? list : [];

  function read(item: unknown, index: number): Resource<Made> | undefined {
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

  return new ResourceList(kind, items.map(read));
}
