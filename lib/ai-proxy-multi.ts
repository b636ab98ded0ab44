import type { IncomingMessage, ServerResponse } from 'node:http';
import { compilePlan, makeLasting } from './compile-plan.ts';
import { loadMultiConfig } from './config/load-config.ts';
import type { LoadedConfig } from './config/loaded-config.ts';
import type { AiProxyMultiInput } from './config/multi-input.ts';
import type { Next } from './exchange.ts';
import { makeGateway } from './gateway.ts';
import type { Host } from './host.ts';
import { type ResolvedHost, resolveHost } from './resolve-host.ts';
import { gatewayStatus } from './stats/gateway-status.ts';
import type { GatewayStatus } from './status.ts';

/** An Express/Connect middleware that also works as a bare `http` request listener. */
export interface GatewayMiddleware<Config> {
  (req: IncomingMessage, res: ServerResponse, next?: Next): void;
  /**
   * Ends health checks, and closes idle sockets, now and as they become idle. Resolves when no request is under way
   * any more; new ones are still served.
   */
  close(): Promise<void>;
  /**
   * Replaces the configuration at once. Requests under way keep the old one, whose idle sockets close. An instance
   * whose name, endpoint, auth and checks (or cooldown) stay the same keeps its health (or cooldown).
   *
   * @throws ConfigError on an invalid configuration, and changes nothing
   */
  update(config: Config): void;
  /** The state of every instance, without secrets. */
  status(): GatewayStatus;
}

/** Makes the middleware of any front end that loads its configuration to the same form. */
export function makeMiddleware<Config>(
  config: Config,
  host: Host,
  load: (config: unknown, host: ResolvedHost) => LoadedConfig,
): GatewayMiddleware<Config> {
  const resolved = resolveHost(host);
  const lasting = makeLasting(resolved);
  let plan = compilePlan(load(config, resolved), resolved, lasting);
  const gateway = makeGateway(() => plan, resolved);
  return Object.assign(
    (req: IncomingMessage, res: ServerResponse, next?: Next) => gateway.handle(req, res, next),
    {
      async close() {
        plan.close();
        await gateway.idle();
      },
      update(replacement: Config) {
        const replaced = plan;
        plan = compilePlan(load(replacement, resolved), resolved, lasting);
        replaced.close();
      },
      status: () => gatewayStatus(plan, gateway),
    },
  );
}

/**
 * Makes a middleware that serves LLM requests from several instances: it picks one, rewrites the body, injects the
 * credentials, and moves on to the next instance when one fails.
 *
 * @param config what Apache APISIX takes under `plugins["ai-proxy-multi"]`; plain JSON, never changed
 * @param host what JSON cannot hold: logger, hooks, secrets
 * @throws ConfigError naming every fault at once
 *
 * @example
 * ```ts
 * app.use('/ai', aiProxyMulti({
 *   fallback_strategy: ['http_429', 'http_5xx'],
 *   instances: [
 *     { name: 'openai', provider: 'openai', weight: 8,
 *       auth: { header: { Authorization: 'Bearer $env://OPENAI_API_KEY' } }, options: { model: 'gpt-4o' } },
 *     { name: 'deepseek', provider: 'deepseek', weight: 2,
 *       auth: { header: { Authorization: 'Bearer $env://DEEPSEEK_API_KEY' } } },
 *   ],
 * }));
 * ```
 */
export function aiProxyMulti(
  config: AiProxyMultiInput,
  host: Host = {},
): GatewayMiddleware<AiProxyMultiInput> {
  return makeMiddleware(config, host, (input, { logger, secret }) =>
    loadMultiConfig(input, logger, { hasSecretResolver: secret !== undefined }),
  );
}
