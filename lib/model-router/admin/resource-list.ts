import type { ConfigFault } from '../../config/config-error.ts';
import type { JsonObject } from '../../config/json.ts';
import { AdminError, sentenceOf } from './admin-error.ts';
import type { ModelRegistry, Resource, ResourceKind } from './registry.ts';
import { RESOURCE_KINDS } from './resource-kinds.ts';

/** The resources of one kind that are in force, and what may join them. */
export interface ResourceList {
  all(): readonly Resource[];
  /** @throws AdminError 404 */
  find(id: string): Resource;
  /**
   * What a write puts in the place of `old`, or beside the others: its secrets are back.
   *
   * @throws AdminError 400 where it is not allowed by itself, 409 where another has its name
   */
  checked(id: string, written: JsonObject, old: Resource | undefined): Resource;
  /** The same with some fields replaced. What is wrong with the others was so before, and is nothing to the writer. */
  amended(old: Resource, fields: JsonObject): Resource;
  /** @throws AdminError 409 where something would not work without it */
  requireUnused(resource: Resource): void;
}

export function makeResourceList(kind: ResourceKind, registry: ModelRegistry): ResourceList {
  const { noun, uniqueField, restore, usersOf } = RESOURCE_KINDS[kind];
  const all = (): readonly Resource[] => registry.current()[kind] ?? [];

  function requireUnique({ id, [uniqueField]: name }: Resource): void {
    const isTaken = all().some((other) => other.id !== id && other[uniqueField] === name);
    if (isTaken && name !== undefined) {
      throw new AdminError(409, `Another ${noun} has the same ${uniqueField}.`);
    }
  }

  function accept(id: string, value: JsonObject, wrong: readonly ConfigFault[]): Resource {
    if (wrong.length > 0) throw new AdminError(400, sentenceOf(wrong));
    const resource = { id, ...value };
    requireUnique(resource);
    return resource;
  }

  return {
    all,
    find(id) {
      const found = all().find((resource) => resource.id === id);
      if (found === undefined) throw new AdminError(404, `There is no ${noun} with this id.`);
      return found;
    },
    checked(id, written, old) {
      const { value, faults } = restore(written, old);
      return accept(id, value, faults.length > 0 ? faults : registry.check(kind, value));
    },
    amended({ id, ...before }, fields) {
      const value = { ...before, ...fields };
      const known = new Set(registry.check(kind, before).map(({ path }) => path));
      return accept(
        id,
        value,
        registry.check(kind, value).filter(({ path }) => !known.has(path)),
      );
    },
    requireUnused(resource) {
      const users = usersOf(resource, registry.current());
      if (users.length === 0) return;
      throw new AdminError(409, `This ${noun} is still used by ${JSON.stringify(users.slice(0, 20))}.`);
    },
  };
}
