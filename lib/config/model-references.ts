import type { ConfigFault } from './config-error.ts';
import { describeValue } from './describe-value.ts';
import { formatPath, type JsonPath } from './json-path.ts';
import { type Placed, placedField, placedItems } from './placed.ts';
import { makeHinter } from './suggest.ts';

/** Something that a name or an id may refer to, and how it is called where it is not found. */
interface Register {
  readonly byName: ReadonlyMap<unknown, Placed>;
  readonly names: readonly string[];
  readonly what: string;
  /** Whether somebody may have taken the field for the place of a secret, which must not be shown. */
  readonly mayBeSecret?: boolean;
}

function register(items: readonly Placed[], field: string, what: string): Register {
  const byName = new Map(items.map((item) => [item.object[field], item]));
  return { byName, names: [...byName.keys()].filter((name) => typeof name === 'string'), what };
}

/** Says what is wrong with references, and for the first of them, what may have been meant. */
function makeFinder(): (name: unknown, path: JsonPath, register: Register) => readonly ConfigFault[] {
  const hint = makeHinter();
  return (name, path, { byName, names, what, mayBeSecret }) => {
    if (typeof name !== 'string' || name === '' || byName.has(name)) return [];
    const found = mayBeSecret ? 'is another text' : `is ${describeValue(name, path)}`;
    return [{ path: formatPath(path), message: `${found}, must be ${what}${hint(name, names)}` }];
  };
}

function differFaults({ path, object }: Placed, ids: Register, names: Register): readonly ConfigFault[] {
  const one = ids.byName.get(object.provider_key_id);
  const other = names.byName.get(object.provider_key);
  if (one === undefined || other === undefined || one === other) return [];
  const message = 'is the name of another provider key than provider_key_id is the id of';
  return [{ path: formatPath([...path, 'provider_key']), message }];
}

/** A fault for every provider key, and every target of an alias, that is not there or is of no use. */
export function referenceFaults(
  models: readonly Placed[],
  providerKeys: readonly Placed[],
): readonly ConfigFault[] {
  const direct = models.filter(({ object }) => object.routing === undefined);
  const keys = (field: string): Register => ({
    ...register(providerKeys, field, `the ${field} of one of the provider keys`),
    mayBeSecret: true,
  });
  const [ids, names] = [keys('id'), keys('display_name')];
  const targets = register(direct, 'display_name', 'the display_name of a model that has no routing itself');
  const find = makeFinder();
  return [
    ...direct.flatMap((model) => [
      ...find(model.object.provider_key_id, [...model.path, 'provider_key_id'], ids),
      ...find(model.object.provider_key, [...model.path, 'provider_key'], names),
      ...differFaults(model, ids, names),
    ]),
    ...models
      .flatMap((model) => placedField(model, 'routing'))
      .flatMap(({ path, object }) => placedItems(object, 'targets', path))
      .flatMap(({ path, object }) => find(object.model, [...path, 'model'], targets)),
  ];
}
