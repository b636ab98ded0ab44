import { readFileSync } from 'node:fs';
import { Ajv, type ValidateFunction } from 'ajv';
import type { DefaultedAiProxyConfig } from './generated/ai-proxy-defaulted.ts';
import type { DefaultedAiProxyMultiConfig } from './generated/ai-proxy-multi-defaulted.ts';
import type { DefaultedEarlyAiProxyMultiConfig } from './generated/ai-proxy-multi-early-defaulted.ts';
import type { JsonPath } from './json-path.ts';

/** As much of JSON Schema as the files in `schema/` use. */
export interface Schema {
  readonly $id?: string;
  readonly $ref?: string;
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
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly required?: readonly string[];
  readonly allOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly definitions?: Readonly<Record<string, Schema>>;
}

/** One form of a configuration: its schema, and what validates it and fills in its defaults in place. */
export interface ConfigForm<Config> {
  readonly schema: Schema;
  readonly validate: ValidateFunction<Config>;
}

interface Forms {
  readonly multi: ConfigForm<DefaultedAiProxyMultiConfig>;
  readonly early: ConfigForm<DefaultedEarlyAiProxyMultiConfig>;
  readonly single: ConfigForm<DefaultedAiProxyConfig>;
  readonly definitions: Readonly<Record<string, Schema>>;
}

let loaded: Forms | undefined;

/** Import attributes would be shorter, but Node 20 prints a warning on them. */
function readSchema(name: string): Schema {
  return JSON.parse(readFileSync(new URL(`../../schema/${name}.json`, import.meta.url), 'utf8'));
}

function compileForm<Config>(ajv: Ajv, schema: Schema): ConfigForm<Config> {
  return { schema, validate: ajv.compile<Config>(schema) };
}

function load(): Forms {
  const ajv = new Ajv({ allErrors: true, useDefaults: true, verbose: true });
  const shared = readSchema('definitions');
  const multi = readSchema('ai-proxy-multi');
  const early = readSchema('ai-proxy-multi-early');
  ajv.addSchema(shared);
  return {
    multi: compileForm(ajv, multi),
    early: compileForm(ajv, early),
    single: compileForm(ajv, readSchema('ai-proxy')),
    definitions: { ...shared.definitions, ...multi.definitions, ...early.definitions },
  };
}

/** The schemas, read and compiled by the first call: most processes that import the package mount it once. */
export function forms(): Forms {
  loaded ??= load();
  return loaded;
}

/** The schema itself, or the one it refers to: definitions have one name throughout the files. */
export function dereference(schema: Schema): Schema {
  const name = schema.$ref?.split('/').at(-1);
  return (name !== undefined && forms().definitions[name]) || schema;
}

/** The fields that an object may have by name, wherever in the schema's parts they stand. */
export function fieldsOf(schema: Schema): ReadonlyMap<string, Schema> {
  const { properties = {}, allOf = [] } = dereference(schema);
  return new Map([...Object.entries(properties), ...allOf.flatMap((part) => [...fieldsOf(part)])]);
}

/** The schema of one place of a configuration, if there is one. */
export function schemaAt(root: Schema, path: JsonPath): Schema | undefined {
  return path.reduce<Schema | undefined>((schema, step) => {
    if (schema === undefined) return undefined;
    return typeof step === 'number' ? dereference(schema).items : fieldsOf(schema).get(step);
  }, root);
}
