import type { ConfigFault } from './config-error.ts';
import { isJsonObject, type JsonObject } from './json.ts';
import { formatPath, type JsonPath } from './json-path.ts';

/** Deeper than any configuration, and far from what would exhaust the stack. */
const DEEPEST = 500;

/** A copy of what somebody passed in, and the places that no JSON text could have. */
export interface JsonCopy {
  readonly value: unknown;
  readonly faults: readonly ConfigFault[];
}

/** V8 keeps the fields of what `Object.create(null)` makes in a hash table, which costs a third of a large load. */
function emptyObject(): JsonObject {
  return Object.setPrototypeOf({}, null);
}

/**
 * Copies a value as `JSON.parse(JSON.stringify(value))` would: functions, symbols and undefined are left out
 * (null in arrays), `toJSON` is called. Objects of the copy have no prototype, so that no name in them reaches
 * one. What JSON would throw on (cycles, BigInts) is a fault, and so is a field called `__proto__`.
 */
export function copyJson(input: unknown): JsonCopy {
  const faults: ConfigFault[] = [];
  /** Where the copy has got to, and through what: two arrays for all of a hundred thousand fields. */
  const path: (string | number)[] = [];
  const ancestors: object[] = [];

  function refuse(place: JsonPath, message: string): undefined {
    faults.push({ path: formatPath(place), message });
  }

  function copy(value: unknown): unknown {
    if (typeof value === 'string') return value;
    const plain = callToJson(value, path);
    if (Array.isArray(plain) || isJsonObject(plain)) return copyContainer(plain);
    if (typeof plain === 'bigint') return refuse(path, 'is a BigInt, which JSON does not have');
    return copyScalar(plain);
  }

  function copyContainer(container: readonly unknown[] | JsonObject): unknown {
    if (ancestors.includes(container)) return refuse(path, 'holds itself');
    if (path.length > DEEPEST) return refuse(path.slice(0, 3), `is nested deeper than ${DEEPEST} levels`);
    ancestors.push(container);
    const copied = isJsonObject(container) ? copyObject(container) : copyArray(container);
    ancestors.pop();
    return copied;
  }

  function copyArray(array: readonly unknown[]): unknown[] {
    const target: unknown[] = [];
    for (let index = 0; index < array.length; index++) {
      path.push(index);
      target.push(copy(array[index]) ?? null);
      path.pop();
    }
    return target;
  }

  function copyObject(source: JsonObject): JsonObject {
    const target = emptyObject();
    for (const name of Object.keys(source)) {
      path.push(name);
      if (name === '__proto__') refuse(path, 'is no name a field may have');
      else setField(target, name, copy(source[name]));
      path.pop();
    }
    return target;
  }

  return { value: copy(input), faults };
}

function setField(target: JsonObject, name: string, value: unknown): void {
  if (value !== undefined) target[name] = value;
}

function callToJson(value: unknown, path: JsonPath): unknown {
  if (typeof value !== 'object' || value === null || !('toJSON' in value)) return value;
  return typeof value.toJSON === 'function' ? value.toJSON(String(path.at(-1) ?? '')) : value;
}

function copyScalar(value: unknown): unknown {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  return typeof value === 'function' || typeof value === 'symbol' ? undefined : value;
}

function copyValueAgain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyValueAgain);
  return isJsonObject(value) ? copyAgain(value) : value;
}

/** Another copy of what `copyJson` has made: it has neither cycles nor anything else to look out for. */
export function copyAgain(copied: JsonObject): JsonObject {
  const target = emptyObject();
  for (const name in copied) target[name] = copyValueAgain(copied[name]);
  return target;
}
