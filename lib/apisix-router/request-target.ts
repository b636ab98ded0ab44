import type { IncomingMessage } from 'node:http';
import { resolvePath } from '../request/resolve-path.ts';

/** What a request asks for, in the form in which routes are compared with it. */
export interface RequestTarget {
  /** Decoded, one character per byte, without `//`, `/./` and `/../`; `undefined` where that leads above the root. */
  readonly path: string | undefined;
  /** The host's name in lower case, and the same with the port where the client gave one. */
  readonly hosts: readonly string[];
}

/** `http://host/path`; its host replaces that of the header (RFC 9112 §3.2.2). */
const ABSOLUTE_FORM = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i;

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
    path: resolvePath(path),
    hosts: hostsOf(absolute?.[1] ?? req.headers.host ?? ''),
  };
}
