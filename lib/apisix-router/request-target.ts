import type { IncomingMessage } from 'node:http';

/** What a request asks for, in the form in which routes are compared with it. */
export interface RequestTarget {
  /** Decoded, one character per byte, without `//`, `/./` and `/../`; `undefined` where that leads above the root. */
  readonly path: string | undefined;
  /** The host's name in lower case, and the same with the port where the client gave one. */
  readonly hosts: readonly string[];
}

/** `http://host/path`; its host replaces that of the header (RFC 9112 §3.2.2). */
const ABSOLUTE_FORM = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i;

/** A malformed escape stands for itself. Bytes need not be UTF-8: none may keep a path from being recognised. */
function decodeBytes(path: string): string {
  return path.replace(/%([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/**
 * As nginx does before APISIX looks at it. Otherwise `/v1//chat` would get around a route for `/v1/chat/*` by one for
 * `/v1/*`, while the LLM's server takes both for the same.
 */
function resolveSegments(path: string): string | undefined {
  if (!/\/[./]/.test(path)) return path;
  const resolved: string[] = [];
  const segments = path.split('/').slice(1);
  for (const [index, segment] of segments.entries()) {
    if (segment === '..' && resolved.pop() === undefined) return undefined;
    const isName = segment !== '' && segment !== '.' && segment !== '..';
    if (isName) resolved.push(segment);
    else if (index === segments.length - 1) resolved.push('');
  }
  return `/${resolved.join('/')}`;
}

/** nginx leaves out the dot at the end of a complete name as well. */
function hostsOf(authority: string): readonly string[] {
  const [, host = '', port] = /^(?:.*@)?(.*?)\.?(:\d*)?$/.exec(authority.toLowerCase()) ?? [];
  return port === undefined ? [host] : [host, host + port];
}

/** Below a mount point, the path is that below it. */
export function readTarget(req: IncomingMessage): RequestTarget {
  const url = req.url ?? '/';
  const absolute = ABSOLUTE_FORM.exec(url);
  const target = absolute === null ? url : url.slice(absolute[0].length);
  const path = target.replace(/[?#].*$/s, '') || '/';
  return {
    path: resolveSegments(decodeBytes(path)),
    hosts: hostsOf(absolute?.[1] ?? req.headers.host ?? ''),
  };
}
