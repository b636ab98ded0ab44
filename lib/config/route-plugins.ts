import type { Logger } from '../host.ts';
import { findPlugin, ownConfig } from './active-plugins.ts';
import { requireAnonymousConsumer } from './anonymous-consumer.ts';
import type { ConfigFault } from './config-error.ts';
import { isJsonObject, type JsonObject } from './json.ts';
import { loadMultiConfig, loadSingleConfig } from './load-config.ts';
import { loadKeyAuth } from './load-key-auth.ts';
import type { LoadOptions } from './load-options.ts';
import { loadRateLimiting } from './load-rate-limiting.ts';
import { isUpstreamForm, loadUpstreamProxy, type Upstreams } from './load-upstream-proxy.ts';
import type { LoadedRoute } from './loaded-apisix-router.ts';
import type { LoadedConsumer, LoadedKeyAuth } from './loaded-key-auth.ts';
import type { PartLoader } from './part-loader.ts';
import type { Placed } from './placed.ts';

/** What a route's plugins may refer to. */
export interface RouteSurroundings {
  readonly options: LoadOptions;
  /** All of them, those with faults included, which would only cause others. */
  readonly consumers: readonly Pick<LoadedConsumer, 'username'>[];
  readonly upstreams: Upstreams;
}

type Proxy = Pick<LoadedRoute, 'config' | 'forwardsAuthorization'>;

/** What stands in a route's `plugins`, checked. */
export interface RoutePlugins {
  readonly keyAuth: LoadedRoute['keyAuth'];
  readonly rateLimiting: LoadedRoute['rateLimiting'];
  readonly proxy: Proxy | undefined;
}

function loadGuard(config: JsonObject, { consumers }: RouteSurroundings, logger: Logger): LoadedKeyAuth {
  const keyAuth = loadKeyAuth(config, logger);
  requireAnonymousConsumer(keyAuth, consumers);
  return keyAuth;
}

function loadSingle(
  config: JsonObject,
  { options, upstreams }: RouteSurroundings,
  logger: Logger,
): Proxy | undefined {
  if (!isUpstreamForm(config)) {
    return { config: loadSingleConfig(config, logger, options), forwardsAuthorization: false };
  }
  const loaded = loadUpstreamProxy(config, upstreams, logger);
  return loaded && { config: loaded, forwardsAuthorization: true };
}

/** Loads what a route's plugins are configured with; their faults are left with `parts`. */
export function loadRoutePlugins(
  route: Placed,
  parts: PartLoader,
  surroundings: RouteSurroundings,
): RoutePlugins {
  const { options } = surroundings;

  function load<Loaded>(
    name: string,
    loader: (config: JsonObject, logger: Logger) => Loaded,
  ): Loaded | undefined {
    const plugin = findPlugin(route, name);
    return plugin && parts.load(plugin.path, (below) => loader(ownConfig(plugin), below));
  }

  const keyAuth = load('key-auth', (config, below) => loadGuard(config, surroundings, below));
  const rateLimiting = load('ai-rate-limiting', (config, below) => loadRateLimiting(config, below, options));
  const single = load('ai-proxy', (config, below) => loadSingle(config, surroundings, below));
  const multi = load('ai-proxy-multi', (config, below) => loadMultiConfig(config, below, options));
  return { keyAuth, rateLimiting, proxy: multi ? { config: multi, forwardsAuthorization: false } : single };
}

/** A route without a proxy would only say where requests do not go; with two of them nobody knows. */
export function proxyFaults({ plugins }: JsonObject): readonly ConfigFault[] {
  if (!isJsonObject(plugins)) return [];
  const count = ['ai-proxy', 'ai-proxy-multi'].filter((name) => name in plugins).length;
  return count === 1
    ? []
    : [{ path: 'plugins', message: 'must have one of "ai-proxy" and "ai-proxy-multi"' }];
}
