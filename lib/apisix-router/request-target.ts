import type { IncomingMessage } from 'node:http';
import { resolvePath } from '../request/resolve-path.ts';
import { hostNames, splitTarget } from '../request/split-target.ts';

/** What a request asks for, in the form in which routes are compared with it. */
export interface RequestTarget {
  /** Decoded, one character per byte, without `//`, `/./` and `/../`; `undefined` where that leads above the root. */
  readonly path: string | undefined;
  /** The host's name in lower case, and the same with the port where the client gave one. */
  readonly hosts: readonly string[];
}

/** Below a mount point, the path is that below it. */
export function readTarget(req: IncomingMessage): RequestTarget {
  const { authority, path } = splitTarget(req.url ?? '/');
  return {
    path: resolvePath(path.replace(/[?#].*$/s, '') || '/'),
    hosts: hostNames(authority ?? req.headers.host ?? '').flatMap((name) => name ?? []),
  };
}
