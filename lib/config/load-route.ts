import type { Logger } from '../host.ts';
import { dropDisabledPlugins } from './active-plugins.ts';
import { checkConfig } from './check-config.ts';
import type { DefaultedApisixRouteConfig } from './generated/apisix-route-defaulted.ts';
import { isJsonObject } from './json.ts';
import { formatPath } from './json-path.ts';
import type { LoadedRoute } from './loaded-apisix-router.ts';
import { makePartLoader } from './part-loader.ts';
import { loadRoutePlugins, proxyFaults, type RoutePlugins, type RouteSurroundings } from './route-plugins.ts';
import { forms } from './schemas.ts';
import { didYouMean } from './suggest.ts';

/** As in APISIX, `*` alone is every host, and no method in the list is every method. */
function completeMatch(route: DefaultedApisixRouteConfig): Pick<LoadedRoute, 'uris' | 'methods' | 'hosts'> {
  const { uri, uris, paths, methods = [], host, hosts } = route;
  const names = host === undefined ? (hosts ?? []) : [host];
  return {
    uris: Object.freeze(uri === undefined ? (uris ?? paths ?? []) : [uri]),
    methods: methods.length === 0 ? undefined : Object.freeze(methods),
    hosts: Object.freeze(names.includes('*') ? [] : names.map((name) => name.toLowerCase())),
  };
}

function warnOfUris(uris: readonly string[], logger: Logger): void {
  for (const uri of uris) {
    if (/^[/*]/.test(uri)) continue;
    logger.warn({ path: '', uri }, 'no request has this path, since it does not begin with "/"');
  }
}

/** A limit for an instance that is called something else limits nothing. */
function warnOfLimits({ rateLimiting, proxy }: RoutePlugins, logger: Logger): void {
  const names = proxy?.config.instances.map(({ name }) => name) ?? [];
  for (const [index, { name }] of (rateLimiting?.instances ?? []).entries()) {
    if (names.includes(name)) continue;
    const path = formatPath(['plugins', 'ai-rate-limiting', 'instances', index, 'name']);
    logger.warn(
      { path },
      `limits nothing: no instance of this route has this name${didYouMean(name, names)}`,
    );
  }
}

/**
 * Checks one route, in a copy of its own. `undefined` for one that is switched off, and where an upstream has faults,
 * which are told where it stands.
 *
 * @throws {ConfigError} with everything that is wrong
 */
export function loadRoute(
  value: unknown,
  surroundings: RouteSurroundings,
  logger: Logger,
): LoadedRoute | undefined {
  const object = isJsonObject(value) ? value : {};
  dropDisabledPlugins(object);
  const parts = makePartLoader(logger);
  const plugins = loadRoutePlugins({ path: [], object }, parts, surroundings);
  const faults = [...parts.faults, ...proxyFaults(object)];
  const checked = checkConfig(value, forms.route(), faults, logger);
  const match = completeMatch(checked);
  warnOfUris(match.uris, logger);
  if (checked.service_id !== undefined) {
    logger.warn({ path: 'service_id' }, 'does nothing: plugins that only the service has are missing here');
  }
  warnOfLimits(plugins, logger);
  const { keyAuth, rateLimiting, proxy } = plugins;
  if (checked.status === 0 || proxy === undefined) return undefined;
  return Object.freeze({
    id: String(checked.id),
    ...match,
    priority: checked.priority,
    ...(keyAuth && { keyAuth }),
    ...(rateLimiting && { rateLimiting }),
    ...proxy,
  });
}
