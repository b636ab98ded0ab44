import type { IncomingMessage } from 'node:http';
import { pathOf } from '../request/variables.ts';

/** What decides whether a route takes a request. */
export interface Matched {
  /** Paths; one that ends with `*` takes everything that begins as it does. */
  readonly uris: readonly string[];
  /** `undefined`: all. */
  readonly methods: readonly string[] | undefined;
  /** Lower case; `*.example.com` takes what stands in front of it. None: all. */
  readonly hosts: readonly string[];
  /** Among routes whose paths fit equally well, the higher number is asked first. */
  readonly priority: number;
}

/** Finds the route for a request; `undefined` where none takes it. */
export type FindRoute<Route> = (req: IncomingMessage) => Route | undefined;

interface Entry<Route> {
  /** Without the `*`. */
  readonly path: string;
  readonly isPrefix: boolean;
  readonly route: Route;
}

/** As APISIX ranks them: a whole path before a prefix, a longer prefix before a shorter one, then by priority. */
function compareEntries<Route extends Matched>(one: Entry<Route>, other: Entry<Route>): number {
  if (one.isPrefix !== other.isPrefix) return one.isPrefix ? 1 : -1;
  return other.path.length - one.path.length || other.route.priority - one.route.priority;
}

function takesPath({ path, isPrefix }: Entry<unknown>, requested: string): boolean {
  return isPrefix ? requested.startsWith(path) : requested === path;
}

function takesHost(hosts: readonly string[], requested: string): boolean {
  if (hosts.length === 0) return true;
  return hosts.some((host) =>
    host.startsWith('*') ? requested.endsWith(host.slice(1)) : requested === host,
  );
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    // Malformed escapes fit no route but one that is written with them.
    return path;
  }
}

function hostOf(req: IncomingMessage): string {
  return (req.headers.host ?? '').toLowerCase().replace(/:\d+$/, '');
}

/** Compiles a table of routes. Below a mount point, paths are those below it. */
export function compileRoutes<Route extends Matched>(routes: readonly Route[]): FindRoute<Route> {
  const entries = routes
    .flatMap((route) =>
      route.uris.map((uri): Entry<Route> => {
        const isPrefix = uri.endsWith('*');
        return { path: isPrefix ? uri.slice(0, -1) : uri, isPrefix, route };
      }),
    )
    .sort(compareEntries);
  return (req) => {
    const path = decoded(pathOf(req.url ?? '/'));
    const method = req.method ?? 'GET';
    const host = hostOf(req);
    return entries.find(
      (entry) =>
        takesPath(entry, path) &&
        (entry.route.methods?.includes(method) ?? true) &&
        takesHost(entry.route.hosts, host),
    )?.route;
  };
}
