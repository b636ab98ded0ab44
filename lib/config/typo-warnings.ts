import type { Logger } from '../host.ts';
import { isJsonObject, type JsonObject } from './json.ts';
import { formatPath, type JsonPath, quoteName } from './json-path.ts';
import { dereference, fieldsOf, type Schema } from './schema.ts';
import { suggest } from './suggest.ts';

/** Their contents are the LLM's business, or secret, or have a loader of their own. */
const NOT_LOOKED_INTO: ReadonlySet<string> = new Set(['auth', 'options', 'request_body', 'plugins']);

const INSIDE_INSTANCE = 'it belongs inside the instance (instances[i]), beside "provider"';
const INSIDE_OPTIONS = 'it belongs inside options';
const INSIDE_OVERRIDE = 'it belongs inside override';

/** Known fields in places where they do nothing, positions left out. Seed 003's table has the first two there. */
const MISPLACED: ReadonlyMap<string, string> = new Map([
  ['checks', INSIDE_INSTANCE],
  ['logging.override', INSIDE_INSTANCE],
  ['override', INSIDE_INSTANCE],
  ['auth', INSIDE_INSTANCE],
  ['passthrough', 'it belongs to the early form, which has "providers", and does nothing here'],
  ['model', INSIDE_OPTIONS],
  ['instances.model', INSIDE_OPTIONS],
  ['endpoint', INSIDE_OVERRIDE],
  ['instances.endpoint', INSIDE_OVERRIDE],
  ['providers.endpoint', INSIDE_OVERRIDE],
]);

function namesOnly(path: JsonPath): string {
  return path.filter((step) => typeof step === 'string').join('.');
}

/** Only these have the places that the advice speaks of. */
const WITH_INSTANCES: ReadonlySet<string> = new Set([
  'ai-proxy-multi.json',
  'ai-proxy-multi-early.json',
  'ai-proxy.json',
]);

function findPlace({ $id = '' }: Schema, path: JsonPath): string | undefined {
  return WITH_INSTANCES.has($id) ? MISPLACED.get(namesOnly(path)) : undefined;
}

function findAdvice(root: Schema, path: JsonPath, known: readonly string[]): string | undefined {
  const advice = findPlace(root, path);
  // In ai-proxy the top level is the instance.
  if (advice !== undefined && !(advice === INSIDE_INSTANCE && known.includes('provider'))) return advice;
  const suggestion = suggest(String(path.at(-1)), known);
  return suggestion === undefined ? undefined : `did you mean ${quoteName(suggestion)}?`;
}

/**
 * Warns of every field that is accepted, since APISIX accepts it too, and yet looks like a slip: a misspelt
 * name of a known field, or a known field in the wrong place.
 */
export function warnOfTypos(config: unknown, root: Schema, logger: Logger): void {
  function look(value: unknown, schema: Schema, path: JsonPath): void {
    const { items } = dereference(schema);
    if (isJsonObject(value)) lookInto(value, schema, path);
    if (Array.isArray(value) && items)
      value.forEach((item, index) => {
        look(item, items, [...path, index]);
      });
  }

  function lookInto(object: JsonObject, schema: Schema, path: JsonPath): void {
    const known = fieldsOf(schema);
    for (const [name, value] of Object.entries(object)) {
      const field = known.get(name);
      if (field === undefined) warnOf(name, [...known.keys()], path);
      else if (!NOT_LOOKED_INTO.has(name)) look(value, field, [...path, name]);
    }
  }

  function warnOf(name: string, known: readonly string[], path: JsonPath): void {
    const place = [...path, name];
    const advice = findAdvice(root, place, known);
    if (advice === undefined) return;
    logger.warn({ path: formatPath(place) }, `unknown field ${quoteName(name)}; ${advice}`);
  }

  look(config, root, []);
}
