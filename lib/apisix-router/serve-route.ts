import type { IncomingMessage, ServerResponse } from 'node:http';
import { addLimiter } from '../admission.ts';
import type { OwnedLimiter } from '../ai-rate-limiting/limiter.ts';
import { answerJson } from '../answer-json.ts';
import type { Lasting } from '../compile-instance.ts';
import { compilePlan } from '../compile-plan.ts';
import type { LoadedRoute } from '../config/loaded-apisix-router.ts';
import type { Next, ServingPlan } from '../exchange.ts';
import { type Gateway, makeGateway } from '../gateway.ts';
import type { MakeLimiter } from '../key-auth/consumer.ts';
import type { ConsumerRegistry } from '../key-auth/consumer-registry.ts';
import { makeKeyAuth } from '../key-auth/make-key-auth.ts';
import type { ResolvedHost } from '../resolve-host.ts';
import { gatewayStatus } from '../stats/gateway-status.ts';
import type { GatewayStatus } from '../status.ts';
import { forwardTest } from '../upstream/request-headers.ts';
import type { Matched } from './match-route.ts';

/** A route that is open. */
export interface ServedRoute extends Matched {
  readonly id: string;
  handle(req: IncomingMessage, res: ServerResponse, next: Next | undefined): void;
  status(): GatewayStatus;
  /** Resolves when every request under way has been answered and charged. */
  close(): Promise<void>;
}

/** What the routes of one router share. */
export interface RouteSurroundings {
  readonly registry: ConsumerRegistry;
  readonly makeLimiter: MakeLimiter;
  readonly host: ResolvedHost;
  /** Shared with the tables of routes before and after. */
  readonly lasting: Lasting;
}

/** Seed 004's upstreams have no credentials of their own: the caller's are meant for them. */
function forwardAuthorization(host: ResolvedHost): ResolvedHost {
  const { forwardHeaders } = host;
  if (forwardHeaders === true) return host;
  return { ...host, forwardHeaders: [...(forwardHeaders || []), 'authorization'] };
}

function openGateway(
  { config, forwardsAuthorization }: LoadedRoute,
  { host, lasting }: RouteSurroundings,
): { readonly plan: ServingPlan; readonly gateway: Gateway } {
  const ownHost = forwardsAuthorization ? forwardAuthorization(host) : host;
  // An Authorization by which key-auth has known the caller is meant for this gateway alone, unless the host says
  // otherwise.
  const plan = {
    ...compilePlan(config, ownHost, lasting),
    isForwarded: forwardTest(host.forwardHeaders),
  };
  return { plan, gateway: makeGateway(() => plan, ownHost) };
}

/**
 * Opens a route. Its plugins run in APISIX's order, which is that of their priorities there: key-auth (2500),
 * ai-proxy-multi (1041) or ai-proxy (1040), and ai-rate-limiting (1030), which has its say when those pick an instance.
 */
export function serveRoute(route: LoadedRoute, surroundings: RouteSurroundings): ServedRoute {
  const { registry, makeLimiter } = surroundings;
  const authenticate = route.keyAuth === undefined ? undefined : makeKeyAuth(route.keyAuth, registry);
  let limiter: OwnedLimiter | undefined;
  if (route.rateLimiting !== undefined) limiter = makeLimiter(route.rateLimiting, `route:${route.id}`);
  // Health checks begin here: nothing may throw from here on.
  const { plan, gateway } = openGateway(route, surroundings);

  function proxy(req: IncomingMessage, res: ServerResponse, next: Next | undefined): void {
    if (limiter !== undefined) addLimiter(req, limiter);
    gateway.handle(req, res, next);
  }

  return {
    id: route.id,
    uris: route.uris,
    methods: route.methods,
    hosts: route.hosts,
    priority: route.priority,
    handle(req, res, next) {
      if (authenticate === undefined) {
        proxy(req, res, next);
        return;
      }
      authenticate(req, res, (error) => {
        if (error === undefined) proxy(req, res, next);
        else if (next === undefined) answerJson(req, res, 500, { error_msg: '500 Internal Server Error' });
        else next(error);
      });
    },
    status: () => gatewayStatus(plan, gateway),
    async close() {
      plan.close();
      await registry.waiting.none();
      await gateway.idle();
      await limiter?.close();
    },
  };
}
