import { isSecretPath, type JsonPath } from './json-path.ts';

const LONGEST = 80;
const HTTP_URL = /^https?:\/\//i;

/** Where URLs stand, and text that looks like one or like the `user:password@` of one. */
const URL_FIELDS: ReadonlySet<string | number> = new Set(['override', 'endpoint', 'checks', 'api_base']);
const LIKE_URL = /:\/\/|:.*@/s;

/** The origin and path of a URL: user, password, query and fragment may each be a credential. */
function withoutCredentials(text: string): string {
  if (HTTP_URL.test(text) && URL.canParse(text)) {
    const { origin, pathname, href } = new URL(text);
    return href === origin + pathname ? text : `${origin}${pathname}…`;
  }
  if (text.includes('@')) return '…';
  return text.replace(/[?#].*$/s, '…');
}

function shorten(json: string): string {
  return json.length > LONGEST ? `${json.slice(0, LONGEST)}…` : json;
}

function isScalar(value: unknown): boolean {
  return typeof value !== 'object' || value === null;
}

function toJson(value: unknown, path: JsonPath): string {
  const isUrlField = path.some((step) => URL_FIELDS.has(step));
  const hideCredentials = (_name: string, part: unknown) =>
    typeof part === 'string' && (isUrlField || LIKE_URL.test(part)) ? withoutCredentials(part) : part;
  return JSON.stringify(value, hideCredentials) ?? 'nothing';
}

/**
 * A value for a message: as JSON of at most 80 characters, objects by their kind alone, since anything may be
 * inside. Undefined for what must not be shown: what is under an `auth`, keys, passwords.
 */
export function describeValue(value: unknown, path: JsonPath): string | undefined {
  if (isSecretPath(path)) return undefined;
  if (Array.isArray(value)) return value.every(isScalar) ? shorten(toJson(value, path)) : 'an array';
  return isScalar(value) ? shorten(toJson(value, path)) : 'an object';
}
