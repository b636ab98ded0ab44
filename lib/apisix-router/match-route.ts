import type { IncomingMessage } from 'node:http';
import { ANY_HOST, compileHost, type HostPattern } from './host-pattern.ts';
import { compilePath, type PathPattern } from './path-pattern.ts';
import { readTarget } from './request-target.ts';

/** What decides whether a route takes a request. */
export interface Matched {
  /** Paths, in which `*` takes anything. */
  readonly uris: readonly string[];
  /** `undefined`: all. */
  readonly methods: readonly string[] | undefined;
  /** Lower case; `*.example.com` takes what stands in front of it. None: all. */
  readonly hosts: readonly string[];
  /** Among routes whose hosts and paths fit equally well, the higher number is asked first. */
  readonly priority: number;
}

/** Finds the route for a request; `undefined` where none takes it. */
export type FindRoute<Route> = (req: IncomingMessage) => Route | undefined;

/** One of a route's paths on one of its hosts. */
interface Entry<Route> {
  readonly host: HostPattern;
  readonly path: PathPattern;
  readonly route: Route;
}

function compareHosts(one: HostPattern, other: HostPattern): number {
  return one.rank - other.rank || other.length - one.length;
}

function comparePaths(one: PathPattern, other: PathPattern): number {
  if (one.hasWildcard !== other.hasWildcard) return one.hasWildcard ? 1 : -1;
  return other.prefixLength - one.prefixLength;
}

/**
 * As APISIX's usual router (`radixtree_host_uri`) ranks them: first the host, a whole name before a `*` and any name
 * before none, then the path, a whole one before a `*`, then the priority. What it leaves open, the longer path decides.
 */
function compareEntries<Route extends Matched>(one: Entry<Route>, other: Entry<Route>): number {
  return (
    compareHosts(one.host, other.host) ||
    comparePaths(one.path, other.path) ||
    other.route.priority - one.route.priority ||
    other.path.fixedLength - one.path.fixedLength
  );
}

function entriesOf<Route extends Matched>(route: Route): readonly Entry<Route>[] {
  const hosts = route.hosts.length === 0 ? [ANY_HOST] : route.hosts.map(compileHost);
  const paths = route.uris.map(compilePath);
  return hosts.flatMap((host) => paths.map((path) => ({ host, path, route })));
}

/** Compiles a table of routes. */
export function compileRoutes<Route extends Matched>(routes: readonly Route[]): FindRoute<Route> {
  const entries = routes.flatMap(entriesOf).sort(compareEntries);
  return (req) => {
    const target = readTarget(req);
    const { path } = target;
    const method = req.method ?? 'GET';
    if (path === undefined) return undefined;
    return entries.find(
      (entry) =>
        entry.path.takes(path) && (entry.route.methods?.includes(method) ?? true) && entry.host.takes(target),
    )?.route;
  };
}
