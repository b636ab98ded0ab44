import type { Logger } from '../host.ts';
import type { ConfigFault } from './config-error.ts';
import { isJsonObject, type JsonObject } from './json.ts';
import { formatPath, type JsonPath, quoteName } from './json-path.ts';
import { dereference, fieldsOf, isForbidden, type Schema } from './schema.ts';
import { makeHinter } from './suggest.ts';

/** A field that a schema does not speak of, and those that it has in that place. */
interface UnknownField {
  readonly path: JsonPath;
  readonly name: string;
  readonly known: readonly string[];
}

function namesOf(fields: ReadonlyMap<string, Schema>): readonly string[] {
  return [...fields].flatMap(([name, field]) => (isForbidden(field) ? [] : [name]));
}

/** Whether nothing is said of what it may hold. */
function isFree(schema: Schema): boolean {
  return fieldsOf(schema).size === 0 && dereference(schema).items === undefined;
}

/** Objects of which a schema names no field are free to hold anything. */
function findUnknown(root: unknown, rootSchema: Schema): readonly UnknownField[] {
  const found: UnknownField[] = [];
  const path: (string | number)[] = [];

  function lookBelow(step: string | number, value: unknown, schema: Schema): void {
    if (typeof value !== 'object' || value === null) return;
    path.push(step);
    look(value, schema);
    path.pop();
  }

  function look(value: unknown, schema: Schema): void {
    if (isJsonObject(value)) return void lookInto(value, fieldsOf(schema));
    const { items } = dereference(schema);
    if (!Array.isArray(value) || items === undefined || isFree(items)) return;
    for (const [index, item] of value.entries()) lookBelow(index, item, items);
  }

  function lookInto(object: JsonObject, fields: ReadonlyMap<string, Schema>): void {
    if (fields.size === 0) return;
    for (const name in object) {
      const field = fields.get(name);
      if (field === undefined) found.push({ path: [...path, name], name, known: namesOf(fields) });
      else lookBelow(name, object[name], field);
    }
  }

  look(root, rootSchema);
  return found;
}

/** Warns of every field that is not known: a configuration that was written for a later version still starts. */
export function warnOfUnknown(config: unknown, root: Schema, logger: Logger): void {
  const hint = makeHinter();
  for (const { path, name, known } of findUnknown(config, root)) {
    const message = `unknown field ${quoteName(name)}, which does nothing${hint(name, known)}`;
    logger.warn({ path: formatPath(path) }, message);
  }
}

/** The same as faults, where somebody is there to correct them. */
export function unknownFaults(config: unknown, root: Schema): readonly ConfigFault[] {
  const hint = makeHinter();
  return findUnknown(config, root).map(({ path, name, known }) => ({
    path: formatPath(path),
    message: `is not a known field${hint(name, known)}`,
  }));
}
