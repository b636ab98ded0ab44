import type { IncomingHttpHeaders } from 'node:http';

/** RFC 9110 §11.4: the scheme in any case, then one or more spaces. Ahead of a token that begins with no space. */
const BEARER = /^bearer +(?=[^ ])/i;

function bearerToken(authorization: string): string | undefined {
  const scheme = BEARER.exec(authorization);
  return scheme === null ? undefined : authorization.slice(scheme[0].length);
}

/**
 * The token a request comes with, each character one byte of it as Node reads heads: that of `Authorization: Bearer`,
 * else what `x-api-key` holds. `undefined` where neither says anything.
 */
export function presentedToken(headers: IncomingHttpHeaders): string | undefined {
  const token = headers.authorization === undefined ? undefined : bearerToken(headers.authorization);
  if (token !== undefined) return token;
  const key = headers['x-api-key'];
  return typeof key === 'string' && key !== '' ? key : undefined;
}
