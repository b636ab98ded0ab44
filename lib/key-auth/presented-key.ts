import type { IncomingMessage } from 'node:http';
import type { LoadedKeyAuth } from '../config/loaded-key-auth.ts';
import { withoutParameters } from '../upstream/query-parameters.ts';

/** Node reads a head's bytes as Latin-1; a key that came in JSON is UTF-8. */
function fromHeader(value: string): string {
  return Buffer.from(value, 'latin1').toString();
}

/** Decodes as URLs are decoded everywhere: a malformed escape stands for itself. */
function decodeValue(pair: string): string {
  const equals = pair.indexOf('=');
  const value = equals === -1 ? '' : pair.slice(equals + 1);
  return new URLSearchParams(`key=${value}`).get('key') ?? '';
}

/**
 * The first of the parameters that are taken away where credentials are: by the same test, or a spelling could open
 * the door and then travel on.
 */
function fromQuery(url: string, names: readonly string[]): string | undefined {
  const mark = url.indexOf('?');
  if (mark === -1) return undefined;
  const pairs = url.slice(mark + 1).split('&');
  const pair = pairs.find((candidate) => withoutParameters(`?${candidate}`, names) === '');
  return pair === undefined ? undefined : decodeValue(pair);
}

/**
 * The key a request comes with; '' where a header or parameter is there and holds nothing, `undefined` where there is
 * none.
 */
export function presentedKey(req: IncomingMessage, { header, query }: LoadedKeyAuth): string | undefined {
  // A header may be called like a member of every object.
  const value: unknown = req.headers[header];
  if (typeof value === 'string') return fromHeader(value);
  if (Array.isArray(value)) return fromHeader(value.join(', '));
  return fromQuery(req.url ?? '', [query]);
}
