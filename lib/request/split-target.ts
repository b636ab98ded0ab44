/** `http://host/path` (RFC 9112 §3.2.2). */
const ABSOLUTE_FORM = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i;

/**
 * The host's name as nginx compares it: in lower case, without port and the dot at the end of a complete name.
 *
 * @returns with the port, where there is one, behind it
 */
export function hostNames(authority: string): readonly [name: string, withPort?: string] {
  const [, name = '', port] = /^(.*?)\.?(:\d*)?$/s.exec(authority.toLowerCase()) ?? [];
  return port === undefined ? [name] : [name, name + port];
}

export interface SplitTarget {
  /** Replaces the `host` header; `undefined` where the client has not sent the absolute form. */
  readonly authority: string | undefined;
  /** Path and query. */
  readonly path: string;
}

/** Parts a request's target, in whichever form it was sent. */
export function splitTarget(url: string): SplitTarget {
  if (url.startsWith('/')) return { authority: undefined, path: url };
  const absolute = ABSOLUTE_FORM.exec(url);
  if (absolute === null) return { authority: undefined, path: url };
  const rest = url.slice(absolute[0].length);
  return { authority: absolute[1], path: rest.startsWith('/') ? rest : `/${rest}` };
}
