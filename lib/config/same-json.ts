import { isJsonObject } from './json.ts';

function isSameArray(one: readonly unknown[], other: readonly unknown[]): boolean {
  if (one.length !== other.length) return false;
  for (let index = 0; index < one.length; index++) {
    if (!isSameJson(one[index], other[index])) return false;
  }
  return true;
}

/** Whether two values of `copyJson` are the same, in whatever order their fields are. */
export function isSameJson(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (Array.isArray(one)) return Array.isArray(other) && isSameArray(one, other);
  if (!isJsonObject(one) || !isJsonObject(other)) return false;
  let fields = 0;
  for (const name in one) {
    if (!isSameJson(one[name], other[name])) return false;
    fields++;
  }
  // No field of a copy is undefined, so that there is none in `other` that has not been compared if it has no more.
  for (const _ in other) fields--;
  return fields === 0;
}
