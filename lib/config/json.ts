/**
 * A JSON object, its fields not looked at yet. Of our own copy of a configuration, in which loaders fill references in
 * and leave parts out: so it can be written to, unlike the one of `protocols/json.ts`.
 */
export type JsonObject = Record<string, unknown>;

/** Whether a value is a JSON object: no array, no null. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
