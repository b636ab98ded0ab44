import { isJsonObject } from './json.ts';

/** The steps from the whole configuration to a place in it: names of fields, and positions in arrays. */
export type JsonPath = readonly (string | number)[];

const PLAIN_NAME = /^[A-Za-z_$][\w$]*$/;
const LONGEST_NAME = 80;
const LIKE_PASSWORD = /:.*@/s;

/** What lies under these may hold credentials. */
const SECRET_FIELDS: ReadonlySet<string | number> = new Set([
  'auth',
  'req_headers',
  'http_req_body',
  'redis_password',
  'sentinel_password',
  // A consumer's keys: `plugins["key-auth"].key`. What a plugin's own loader says does not begin here.
  'consumers',
  'plugins',
  'credentials',
  // Of an upstream: the client's certificate and its key.
  'tls',
  // Of a model router. A key is easily written where its hash belongs.
  'provider_keys',
  'api_keys',
  'api_key',
  'secret',
  'key_hash',
  'request',
]);

function formatStep(step: string | number): string {
  if (typeof step === 'number') return `[${step}]`;
  if (PLAIN_NAME.test(step) && step.length <= LONGEST_NAME) return `.${step}`;
  return `[${quoteName(step)}]`;
}

/**
 * The name of a field for a message: quoted, without line breaks, at most 80 characters long. A node of an upstream
 * is a name, too, and somebody may have put its password before it.
 */
export function quoteName(name: string): string {
  if (LIKE_PASSWORD.test(name)) return '"…"';
  return JSON.stringify(name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}…` : name);
}

/** The path as one would write it in JavaScript: `instances[0].auth.header["x y"]`. */
export function formatPath(path: JsonPath): string {
  return path.map(formatStep).join('').replace(/^\./, '');
}

/** Whether the value at this place must not be shown to anyone. */
export function isSecretPath(path: JsonPath): boolean {
  return path.some((step) => SECRET_FIELDS.has(step));
}

/** A JSON pointer (RFC 6901) as a path. The data tell a position in an array from a field called "0". */
export function fromPointer(pointer: string, data: unknown): JsonPath {
  const path: (string | number)[] = [];
  let place = data;
  for (const part of pointer.split('/').slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    path.push(Array.isArray(place) ? Number(name) : name);
    place = Array.isArray(place) ? place[Number(name)] : isJsonObject(place) ? place[name] : undefined;
  }
  return path;
}
