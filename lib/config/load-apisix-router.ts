import type { Logger } from '../host.ts';
import { checkConfig, takeCopy } from './check-config.ts';
import { duplicateFaults } from './duplicate-faults.ts';
import { type Entry, entriesOf, placedEntries } from './entries.ts';
import { isJsonObject, type JsonObject } from './json.ts';
import { loadConsumers } from './load-consumers.ts';
import type { LoadOptions } from './load-options.ts';
import { loadRoute } from './load-route.ts';
import { type LoadedUpstream, loadUpstream } from './load-upstream.ts';
import type { Upstreams } from './load-upstream-proxy.ts';
import type { LoadedApisixRouter } from './loaded-apisix-router.ts';
import type { LoadedConsumer } from './loaded-key-auth.ts';
import { makePartLoader, type PartLoader } from './part-loader.ts';
import { placedItems } from './placed.ts';
import type { RouteSurroundings } from './route-plugins.ts';
import { forms } from './schemas.ts';

function consumersIn(config: JsonObject): RouteSurroundings['consumers'] {
  return placedItems(config, 'consumers').flatMap(({ object: { username } }) =>
    typeof username === 'string' ? [{ username }] : [],
  );
}

/** None where something else stands, which the schema complains about. */
function loadConsumerList(
  { consumers }: JsonObject,
  parts: PartLoader,
  options: LoadOptions,
): readonly LoadedConsumer[] {
  if (!Array.isArray(consumers)) return [];
  return parts.load([], (below) => loadConsumers(consumers, below, options)) ?? [];
}

/** One without an id nobody can refer to; that it lacks one is told with its other faults. */
function loadUpstreams(entries: readonly Entry[], parts: PartLoader): Upstreams {
  const loaded = new Map<string, LoadedUpstream | undefined>();
  for (const { path, value } of entries) {
    const upstream = parts.load(path, (below) => loadUpstream(value, below));
    if (isJsonObject(value) && typeof value.id === 'string') loaded.set(value.id, upstream);
  }
  return loaded;
}

/**
 * Checks the routes, consumers and upstreams that somebody keeps for APISIX, without changing them. Warns of what is
 * valid and looks like a slip.
 *
 * @throws {ConfigError} with everything that is wrong in any of them
 */
export function loadApisixRouter(input: unknown, logger: Logger, options: LoadOptions): LoadedApisixRouter {
  const config = takeCopy(input);
  const object = isJsonObject(config) ? config : {};
  const parts = makePartLoader(logger);
  const upstreamEntries = entriesOf(object, 'upstreams');
  const routeEntries = entriesOf(object, 'routes', (index) => `route-${index + 1}`);
  const consumers = loadConsumerList(object, parts, options);
  const upstreams = loadUpstreams(upstreamEntries, parts);
  const surroundings = { options, consumers: consumersIn(object), upstreams };
  const routes = routeEntries.flatMap(
    ({ path, value }) => parts.load(path, (below) => loadRoute(value, surroundings, below)) ?? [],
  );
  const repeated = [upstreamEntries, routeEntries].flatMap((entries) =>
    duplicateFaults(placedEntries(entries), 'id'),
  );
  checkConfig(config, forms.router(), [...parts.faults, ...repeated], logger);
  return Object.freeze({ routes: Object.freeze(routes), consumers });
}
