import type { ConfigFault } from '../../config/config-error.ts';
import { isJsonObject, type JsonObject } from '../../config/json.ts';
import { formatPath } from '../../config/json-path.ts';
import { isSecretParameter } from '../key-query.ts';

/** Stands for a secret, on the way out and on the way back in. */
const MASK = '***';

/** Both are read; what is shown is always called `api_key`. */
const SECRET_NAMES: readonly string[] = ['api_key', 'secret'];

type Fields = Readonly<Record<string, unknown>>;

/** Without a prototype, as names of headers are anybody's. */
function objectOf(entries: readonly (readonly [string, unknown])[]): JsonObject {
  const object: JsonObject = Object.create(null);
  for (const [name, value] of entries) object[name] = value;
  return object;
}

function mapObject(object: Fields, change: (value: unknown, name: string) => unknown): JsonObject {
  return objectOf(Object.entries(object).map(([name, value]) => [name, change(value, name)]));
}

/** Changes the values of `request.default_headers`, where there are any. */
function mapDefaultHeaders(
  providerKey: Fields,
  change: (value: unknown, name: string) => unknown,
): JsonObject {
  return mapObject(providerKey, (request, field) => {
    if (field !== 'request' || !isJsonObject(request)) return request;
    return mapObject(request, (headers, name) =>
      name === 'default_headers' && isJsonObject(headers) ? mapObject(headers, change) : headers,
    );
  });
}

/** Changes the values of the parameters in a URL's query, and no other letter of it. */
function mapParameters(url: unknown, change: (value: string, name: string) => string): unknown {
  if (typeof url !== 'string' || !url.includes('?')) return url;
  const start = url.indexOf('?') + 1;
  const pairs = url.slice(start).split('&');
  const changed = pairs.map((pair) => {
    const [, name = '', value = ''] = /^([^=]*)=?(.*)$/s.exec(pair) ?? [];
    const after = change(value, name);
    return after === value ? pair : `${name}=${after}`;
  });
  return url.slice(0, start) + changed.join('&');
}

/**
 * A provider key as it may be shown: its secret, whatever it was called, its headers' values, and what may be a
 * credential in the query of its address are `***`.
 */
export function maskSecrets(providerKey: Fields): JsonObject {
  const masked = Object.entries(providerKey).map(([name, value]): readonly [string, unknown] => {
    if (SECRET_NAMES.includes(name)) return ['api_key', MASK];
    if (name !== 'api_base') return [name, value];
    return [
      name,
      mapParameters(value, (text, parameter) => (isSecretParameter(parameter, text) ? MASK : text)),
    ];
  });
  return mapDefaultHeaders(objectOf(masked), () => MASK);
}

function oldSecret(old: Fields): unknown {
  return SECRET_NAMES.map((name) => old[name]).find((secret) => secret !== undefined);
}

/** Names of headers are the same in any case. */
function oldHeader(old: Fields, name: string): unknown {
  const headers = isJsonObject(old.request) ? old.request.default_headers : undefined;
  if (!isJsonObject(headers)) return undefined;
  return Object.entries(headers).find(([other]) => other.toLowerCase() === name.toLowerCase())?.[1];
}

function oldParameter(old: Fields, name: string): string | undefined {
  let found: string | undefined;
  mapParameters(old.api_base, (value, other) => {
    if (other === name) found = value;
    return value;
  });
  return found;
}

/** A provider key with its secrets back, and where one was to be kept that never was there. */
export interface RestoredSecrets {
  readonly value: JsonObject;
  readonly faults: readonly ConfigFault[];
}

/**
 * Puts back what `***` stands for in a provider key that somebody read, changed and wrote.
 *
 * @param old what it replaces; `{}` where it is new
 */
export function restoreSecrets(providerKey: Fields, old: Fields): RestoredSecrets {
  const faults: ConfigFault[] = [];
  const restore = (value: unknown, kept: unknown, path: readonly string[]): unknown => {
    if (value !== MASK) return value;
    if (kept === undefined) {
      faults.push({
        path: formatPath(path),
        message: `is "${MASK}", which keeps a secret, but there is none`,
      });
    }
    return kept;
  };
  const withSecret = mapObject(providerKey, (value, name) => {
    if (SECRET_NAMES.includes(name)) return restore(value, oldSecret(old), [name]);
    if (name !== 'api_base') return value;
    return mapParameters(value, (text, parameter) =>
      String(restore(text, oldParameter(old, parameter), [name])),
    );
  });
  const value = mapDefaultHeaders(withSecret, (header, name) =>
    restore(header, oldHeader(old, name), ['request', 'default_headers', name]),
  );
  return { value, faults };
}
