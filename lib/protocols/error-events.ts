import { isObject, type JsonObject } from './json.ts';

/**
 * The HTTP status that an error's `type` or `code` stands for, where an error comes inside a stream whose own
 * status was 200 (docs.anthropic.com/en/api/errors, platform.openai.com/docs/guides/error-codes).
 */
const STATUS_OF_ERROR: ReadonlyMap<unknown, number> = new Map<unknown, number>([
  ['invalid_request_error', 400],
  ['context_length_exceeded', 400],
  ['invalid_prompt', 400],
  ['authentication_error', 401],
  ['invalid_api_key', 401],
  ['billing_error', 402],
  ['permission_error', 403],
  ['not_found_error', 404],
  ['model_not_found', 404],
  ['request_too_large', 413],
  ['rate_limit_error', 429],
  ['rate_limit_exceeded', 429],
  ['insufficient_quota', 429],
  ['tokens', 429],
  ['requests', 429],
  ['api_error', 500],
  ['server_error', 500],
  ['internal_server_error', 500],
  ['timeout_error', 504],
  ['overloaded_error', 529],
]);

function isErrorStatus(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 400 && value <= 599;
}

function statusIn(error: JsonObject): number {
  for (const value of [error.status, error.code, error.type]) {
    const number = typeof value === 'string' ? Number(value) : value;
    if (isErrorStatus(number)) return number;
    const status = STATUS_OF_ERROR.get(value);
    if (status !== undefined) return status;
  }
  return 500;
}

/** What tells of an error in an event of a stream, its `code`, `type` and `message`; `undefined` where it is none. */
export function errorOfEvent(json: JsonObject): JsonObject | undefined {
  if (isObject(json.error)) return json.error;
  if (typeof json.error === 'string' && json.error !== '') return { message: json.error };
  // vLLM's have no envelope.
  if (json.object === 'error') return { code: json.code, type: json.type, message: json.message };
  if (json.type === 'error') return { code: json.code, message: json.message };
  if (json.type !== 'response.failed' || !isObject(json.response)) return undefined;
  return isObject(json.response.error) ? json.response.error : {};
}

/** The status an event of a stream fails with; `undefined` where it is no error. Unknown kinds count as 500. */
export function statusOfErrorEvent(json: JsonObject): number | undefined {
  const error = errorOfEvent(json);
  return error && statusIn(error);
}
