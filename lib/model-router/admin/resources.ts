import { randomUUID } from 'node:crypto';
import type { JsonObject } from '../../config/json.ts';
import type { ModelRegistry, Resource, ResourceKind } from './registry.ts';
import { RESOURCE_KINDS } from './resource-kinds.ts';
import { makeResourceList } from './resource-list.ts';
import { makeRevisions } from './revisions.ts';
import { untilInForce } from './until-in-force.ts';
import type { WriteQueue } from './write-queue.ts';

/** A resource as the admin API shows it. */
export interface Entry {
  readonly id: string;
  /** What was written, without the id; secrets are `***`. */
  readonly value: JsonObject;
  /** 1, and one more with every change. It begins anew with the process. */
  readonly revision: number;
}

/** What can be done with the resources of one kind. Everything rejects with an `AdminError` or a `ConfigError`. */
export interface Resources {
  list(): readonly Entry[];
  /** @throws AdminError 404 */
  get(id: string): Entry;
  create(value: JsonObject): Promise<Entry>;
  /** Replaces the whole resource. `***` keeps a provider key's old secret. */
  replace(id: string, value: JsonObject): Promise<Entry>;
  /** Replaces some of its fields. */
  amend(id: string, fields: JsonObject): Promise<Entry>;
  remove(id: string): Promise<{ readonly deleted: true; readonly id: string }>;
}

function withoutId({ id: _id, ...value }: Resource): JsonObject {
  return value;
}

/** @param queue shared by all kinds: a write replaces the whole configuration */
export function makeResources(kind: ResourceKind, registry: ModelRegistry, queue: WriteQueue): Resources {
  const { show } = RESOURCE_KINDS[kind];
  const revisions = makeRevisions();
  const { all, find, checked, amended, requireUnused } = makeResourceList(kind, registry);

  const inTurn: WriteQueue = (write) => queue(() => untilInForce(write));

  function entryOf(resource: Resource): Entry {
    return { id: resource.id, value: show(withoutId(resource)), revision: revisions.of(resource.id) };
  }

  async function save(list: readonly Resource[]): Promise<void> {
    await registry.replace({ ...registry.current(), [kind]: list });
    revisions.keepOnly(new Set(list.map(({ id }) => id)));
  }

  async function put(resource: Resource): Promise<Entry> {
    await save(all().map((other) => (other.id === resource.id ? resource : other)));
    revisions.advance(resource.id);
    return entryOf(resource);
  }

  return {
    list: () => all().map(entryOf),
    get: (id) => entryOf(find(id)),
    create: (value) =>
      inTurn(async () => {
        const resource = checked(randomUUID(), value, undefined);
        await save([...all(), resource]);
        return entryOf(resource);
      }),
    replace: (id, value) => inTurn(async () => put(checked(id, value, find(id)))),
    amend: (id, fields) => inTurn(async () => put(amended(find(id), fields))),
    remove: (id) =>
      inTurn(async () => {
        const resource = find(id);
        requireUnused(resource);
        await save(all().filter((other) => other.id !== id));
        return { deleted: true, id };
      }),
  };
}
