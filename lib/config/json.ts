/** A JSON object, its fields not looked at yet. */
export type JsonObject = Record<string, unknown>;

/** Whether a value is a JSON object: no array, no null. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
