import type { ConfigFault } from './config-error.ts';
import type { JsonObject } from './json.ts';
import { formatPath, type JsonPath } from './json-path.ts';

/** Deeper than any configuration, and far from what would exhaust the stack. */
const DEEPEST = 500;

/** A copy of what somebody passed in, and the places that no JSON text could have. */
export interface JsonCopy {
  readonly value: unknown;
  readonly faults: readonly ConfigFault[];
}

/**
 * Copies a value as `JSON.parse(JSON.stringify(value))` would: functions, symbols and undefined are left out
 * (null in arrays), `toJSON` is called. Objects of the copy have no prototype, so that no name in them reaches
 * one. What JSON would throw on (cycles, BigInts) is a fault, and so is a field called `__proto__`.
 */
export function copyJson(input: unknown): JsonCopy {
  const faults: ConfigFault[] = [];
  const ancestors = new Set<object>();
  /** Where the copy has got to. One array for all: a path for each of a hundred thousand fields would take longer. */
  const path: (string | number)[] = [];

  function refuse(place: JsonPath, message: string): undefined {
    faults.push({ path: formatPath(place), message });
  }

  function copy(value: unknown): unknown {
    const plain = callToJson(value, path);
    if (typeof plain === 'object' && plain !== null) return copyContainer(plain);
    if (typeof plain === 'bigint') return refuse(path, 'is a BigInt, which JSON does not have');
    return copyScalar(plain);
  }

  function copyBelow(step: string | number, value: unknown): unknown {
    path.push(step);
    const copied = copy(value);
    path.pop();
    return copied;
  }

  function copyContainer(container: object): unknown {
    if (ancestors.has(container)) return refuse(path, 'holds itself');
    if (path.length > DEEPEST) return refuse(path.slice(0, 3), `is nested deeper than ${DEEPEST} levels`);
    ancestors.add(container);
    const copied = Array.isArray(container) ? copyArray(container) : copyObject(container);
    ancestors.delete(container);
    return copied;
  }

  function copyArray(array: readonly unknown[]): unknown[] {
    return Array.from(array, (item, index) => copyBelow(index, item) ?? null);
  }

  function copyObject(source: object): JsonObject {
    // V8 keeps the fields of what `Object.create(null)` makes in a hash table, which costs a third of a large load.
    const target: JsonObject = Object.setPrototypeOf({}, null);
    for (const [name, field] of Object.entries(source)) {
      if (name === '__proto__') refuse([...path, name], 'is no name a field may have');
      else setField(target, name, copyBelow(name, field));
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
