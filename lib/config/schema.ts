import type { JsonPath } from './json-path.ts';

/** As much of JSON Schema as the files in `schema/` use. */
export interface Schema {
  readonly $id?: string;
  readonly $ref?: string;
  readonly description?: string;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly items?: Schema;
  readonly minProperties?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly required?: readonly string[];
  readonly allOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly not?: Schema;
  readonly then?: Schema;
  readonly definitions?: Readonly<Record<string, Schema>>;
}

/** Definitions have one name throughout the files. */
const definitions = new Map<string, Schema>();

/** Makes the definitions of a schema known to those that refer to them. */
export function keepDefinitions(schema: Schema): void {
  for (const [title, definition] of Object.entries(schema.definitions ?? {})) {
    definitions.set(title, definition);
  }
}

/** The schema itself, or the one it refers to. Only for schemas that have been read as part of a form. */
export function dereference(schema: Schema): Schema {
  const { $ref: reference } = schema;
  if (reference === undefined) return schema;
  return definitions.get(reference.slice(reference.lastIndexOf('/') + 1)) ?? schema;
}

/** Whether nothing at all fits a schema: what is not supported is in the files for the sake of a good message. */
export function isForbidden({ not }: Schema): boolean {
  return not !== undefined && Object.keys(not).length === 0;
}

/** Thousands of consumers go by the same few schemas. */
const knownFields = new WeakMap<Schema, ReadonlyMap<string, Schema>>();

function findFields({ properties = {}, allOf = [], then }: Schema): ReadonlyMap<string, Schema> {
  const own = Object.entries(properties);
  const others = [...allOf, ...(then === undefined ? [] : [then])].flatMap((part) => [...fieldsOf(part)]);
  // A condition may repeat a field to say more of it: first in place, last in meaning.
  return new Map([...own, ...others, ...own]);
}

/** The fields that an object may have by name, wherever in the schema's parts they stand, conditions included. */
export function fieldsOf(schema: Schema): ReadonlyMap<string, Schema> {
  const actual = dereference(schema);
  const known = knownFields.get(actual) ?? findFields(actual);
  knownFields.set(actual, known);
  return known;
}

/** The schema of one place of a configuration, if there is one. */
export function schemaAt(root: Schema, path: JsonPath): Schema | undefined {
  return path.reduce<Schema | undefined>((schema, step) => {
    if (schema === undefined) return undefined;
    return typeof step === 'number' ? dereference(schema).items : fieldsOf(schema).get(step);
  }, root);
}
