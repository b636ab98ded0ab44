import { isHeaderValue } from '../config/header-value.ts';
import type { LoadedActiveChecks } from '../config/loaded-config.ts';
import type { Credentials } from '../upstream/credentials.ts';
import { requestPath } from '../upstream/request-path.ts';

type Checks = Pick<LoadedActiveChecks, 'http_method' | 'http_path' | 'http_req_body' | 'req_headers'>;

const HEADER_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/;

/** They say where the request ends, which is the probe's business. */
const FRAMING: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding', 'expect', 'upgrade']);

/** Methods whose requests say how long their body is even where it is empty (RFC 9110 §8.6). */
const HAVE_BODIES: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);

interface Header {
  readonly name: string;
  readonly line: string;
}

/** A line of `req_headers`; `undefined` for one that cannot be sent. */
function readHeader(line: string): Header | undefined {
  const [, name, value] = HEADER_LINE.exec(line) ?? [];
  if (name === undefined || value === undefined || !isHeaderValue(value)) return undefined;
  const lowerCase = name.toLowerCase();
  return FRAMING.has(lowerCase) ? undefined : { name: lowerCase, line: `${name}: ${value}` };
}

/** How many lines of `req_headers` are left out of a probe, since they cannot be sent or are its own business. */
export function countUnsendable(lines: readonly string[]): number {
  return lines.filter((line) => readHeader(line) === undefined).length;
}

/** Path and query as they can stand in a request. */
function pathOf(httpPath: string, query: Credentials['query']): string {
  const mark = httpPath.indexOf('?');
  const url = new URL('http://probe');
  url.pathname = mark === -1 ? httpPath : httpPath.slice(0, mark);
  url.search = mark === -1 ? '' : httpPath.slice(mark);
  return requestPath(url.pathname, url.search.slice(1), undefined, query);
}

/**
 * A whole probe as it goes over the wire. `req_headers` win over everything else that is sent.
 *
 * @param host for the `Host` header
 */
export function probeRequest(checks: Checks, host: string, { headers, query }: Credentials): Buffer {
  const given = checks.req_headers.flatMap((line) => readHeader(line) ?? []);
  const body = Buffer.from(checks.http_req_body);
  const own = new Map([['host', `Host: ${host}`]]);
  if (body.length > 0) own.set('content-type', 'Content-Type: application/json');
  for (const [name, value] of headers) if (!FRAMING.has(name)) own.set(name, `${name}: ${value}`);
  for (const { name } of given) own.delete(name);
  const lines = [...own.values(), ...given.map(({ line }) => line)];
  if (body.length > 0 || HAVE_BODIES.has(checks.http_method)) lines.push(`Content-Length: ${body.length}`);
  const head = [`${checks.http_method} ${pathOf(checks.http_path, query)} HTTP/1.1`, ...lines, '', ''].join(
    '\r\n',
  );
  return Buffer.concat([Buffer.from(head, 'latin1'), body]);
}
