import type { IncomingMessage, ServerResponse } from 'node:http';
import { makeLimiter } from '../ai-rate-limiting/limiter.ts';
import { type LocalPools, openLocalPools } from '../ai-rate-limiting/local-pools.ts';
import { answerJson } from '../answer-json.ts';
import type { Lasting } from '../compile-instance.ts';
import { makeLasting } from '../compile-plan.ts';
import type { ApisixRouterConfig } from '../config/generated/apisix-router.ts';
import { loadApisixRouter } from '../config/load-apisix-router.ts';
import type { LoadedApisixRouter } from '../config/loaded-apisix-router.ts';
import type { Next } from '../exchange.ts';
import type { Host } from '../host.ts';
import type { MakeLimiter } from '../key-auth/consumer.ts';
import { registerConsumers } from '../key-auth/consumer-registry.ts';
import { replaceable } from '../replaceable.ts';
import { type ResolvedHost, resolveHost } from '../resolve-host.ts';
import type { GatewayStatus } from '../status.ts';
import { compileRoutes, type FindRoute } from './match-route.ts';
import { type ServedRoute, serveRoute } from './serve-route.ts';

/** An Express/Connect middleware that also works as a bare `http` request listener. */
export interface ApisixRouter {
  /** A request that no route takes goes to `next`; without one it is answered 404. */
  (req: IncomingMessage, res: ServerResponse, next?: Next): void;
  /**
   * Replaces routes, consumers and upstreams at once. Requests under way keep the old ones; counters of limits that
   * have not changed go on.
   *
   * @throws ConfigError on an invalid configuration, and changes nothing
   */
  update(config: ApisixRouterConfig): void;
  /** Resolves when every request under way has been answered and charged, and idle sockets are closed. */
  close(): Promise<void>;
  /** The state of every route's instances, by the route's id. Without secrets. */
  status(): Readonly<Record<string, GatewayStatus>>;
}

/** All routes of one configuration. */
interface RouteTable {
  readonly find: FindRoute<ServedRoute>;
  readonly routes: readonly ServedRoute[];
  close(): Promise<void>;
}

/** What outlives the tables of one router. */
interface RouterParts {
  readonly host: ResolvedHost;
  readonly localPools: LocalPools;
  readonly lasting: Lasting;
}

function openTable(loaded: LoadedApisixRouter, { host, localPools, lasting }: RouterParts): RouteTable {
  const make: MakeLimiter = (config, scope) => makeLimiter(config, scope, host, localPools);
  const registry = registerConsumers(loaded.consumers, make, host);
  const routes: ServedRoute[] = [];
  try {
    for (const route of loaded.routes) {
      routes.push(serveRoute(route, { registry, makeLimiter: make, host, lasting }));
    }
  } catch (error) {
    // What is open already would go on probing for a table that nobody has.
    for (const route of routes) void route.close();
    void registry.close();
    throw error;
  }
  return {
    find: compileRoutes(routes),
    routes,
    async close() {
      await Promise.all(routes.map((route) => route.close()));
      await registry.close();
    },
  };
}

/**
 * Makes a middleware of what somebody sends to Apache APISIX's Admin API: routes with their plugins (`key-auth`,
 * `ai-proxy`, `ai-proxy-multi`, `ai-rate-limiting`), consumers with their credentials, and upstreams.
 *
 * @param config `routes`, `consumers` and `upstreams`; plain JSON, never changed
 * @param host what JSON cannot hold, for all routes
 * @throws ConfigError naming every fault at once
 *
 * @example
 * ```ts
 * app.use(apisixRouter({
 *   routes: [{ uri: '/anything', methods: ['POST'], plugins: { 'key-auth': {}, 'ai-proxy-multi': { instances } } }],
 *   consumers: [{ username: 'ann', plugins: { 'key-auth': { key: '$env://ANNS_KEY' } } }],
 * }));
 * ```
 */
export function apisixRouter(config: ApisixRouterConfig, host: Host = {}): ApisixRouter {
  const resolved = resolveHost(host);
  const options = { hasSecretResolver: resolved.secret !== undefined };
  const parts = { host: resolved, localPools: openLocalPools(), lasting: makeLasting(resolved) };
  const open = (input: unknown): RouteTable =>
    openTable(loadApisixRouter(input, resolved.logger, options), parts);
  const tables = replaceable(open(config));
  return Object.assign(
    (req: IncomingMessage, res: ServerResponse, next?: Next) => {
      const route = tables.current.find(req);
      if (route !== undefined) route.handle(req, res, next);
      else if (next !== undefined) next();
      else answerJson(req, res, 404, { error_msg: '404 Route Not Found' });
    },
    {
      update(replacement: ApisixRouterConfig) {
        tables.replace(open(replacement));
      },
      close: () => tables.close(),
      status: () => Object.fromEntries(tables.current.routes.map((route) => [route.id, route.status()])),
    },
  );
}
