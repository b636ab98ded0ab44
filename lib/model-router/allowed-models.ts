import type { LoadedCaller } from '../config/loaded-model-router.ts';
import { isObject } from '../protocols/json.ts';
import { compileAllowedNames, type IsAllowed } from './allowed-names.ts';

const everything: IsAllowed = () => true;

/** Compiled when they are first asked for: most of ten thousand callers are not there at a time. */
const compiled = new WeakMap<LoadedCaller, IsAllowed>();

function ofCaller(caller: LoadedCaller): IsAllowed {
  const known = compiled.get(caller) ?? compileAllowedNames(caller.allowedModels);
  compiled.set(caller, known);
  return known;
}

/**
 * Which models a caller may use.
 *
 * @param caller `undefined` where callers are the host application's business: then `consumer.allowed_models` in
 *   `locals` is the list, and without one everything is allowed
 */
export function allowedModels(
  caller: LoadedCaller | undefined,
  locals: Readonly<Record<string, unknown>>,
): IsAllowed {
  if (caller !== undefined) return ofCaller(caller);
  const { consumer } = locals;
  const list: unknown = isObject(consumer) ? consumer.allowed_models : undefined;
  if (list === undefined) return everything;
  return compileAllowedNames(Array.isArray(list) ? list.filter((name) => typeof name === 'string') : []);
}
