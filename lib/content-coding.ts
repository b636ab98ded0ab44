import type { IncomingHttpHeaders } from 'node:http';

/**
 * How a body is encoded, in lower case (RFC 9110 §8.4: codings know no case); of several codings, all of them with
 * commas between. `identity` and empty places in the list are none.
 *
 * @returns `undefined` where the body is as it is
 */
export function contentCoding(headers: IncomingHttpHeaders): string | undefined {
  const value = headers['content-encoding'];
  if (value === undefined) return undefined;
  const codings = value.split(',').map((coding) => coding.trim().toLowerCase());
  return codings.filter((coding) => coding !== '' && coding !== 'identity').join(', ') || undefined;
}
