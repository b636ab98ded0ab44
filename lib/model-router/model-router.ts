import type { IncomingMessage, ServerResponse } from 'node:http';
import { answerJson } from '../answer-json.ts';
import type { ModelRouterConfig } from '../config/generated/model-router.ts';
import type { Next } from '../exchange.ts';
import { type Gateway, makeGateway } from '../gateway.ts';
import { gatewayStatus } from '../stats/gateway-status.ts';
import type { GatewayStatus } from '../status.ts';
import type { AdminOptions } from './admin/admin-options.ts';
import { type AdminRouter, makeAdminRouter } from './admin/make-admin-router.ts';
import type { ModelStatusRow } from './admin/model-status-row.ts';
import { answerListing } from './answer-listing.ts';
import { type CurrentConfig, openConfig } from './current-config.ts';
import { endpointOf } from './endpoints.ts';
import { loadStored } from './load-stored.ts';
import { modelStatus } from './model-status.ts';
import { openRegistry } from './open-registry.ts';
import { Reception } from './reception.ts';
import { type ModelRouterHost, resolveRouterHost } from './router-host.ts';

/** A gateway's figures, in which every model of a vendor is an instance by its name, and the state of all models. */
export interface ModelRouterStatus extends GatewayStatus {
  /** Aliases, too, in the order of the configuration. */
  readonly models: readonly ModelStatusRow[];
}

/** An Express/Connect middleware that also works as a bare `http` request listener. */
export interface ModelRouter {
  /**
   * Serves the paths of OpenAI's and Anthropic's APIs below its mount point, such as `/v1/chat/completions` and
   * `/v1/models`, and `/status/models`, which asks for no key. What is none of these goes to `next`, and without one is
   * answered with a 404.
   */
  (req: IncomingMessage, res: ServerResponse, next?: Next): void;
  /**
   * Ends background checks, and closes idle sockets, now and as they become idle. Resolves when no request is under
   * way any more; new ones are still served.
   */
  close(): Promise<void>;
  /**
   * Replaces the configuration at once. Requests under way keep the old one. Models that are the same keep their
   * sockets, cooldowns and counters.
   *
   * `host.store` is not told. A change by the admin API that is being saved just then is made once more, to this
   * configuration, and then saved together with it; where it cannot be made any more, its answer says so.
   *
   * @throws ConfigError on an invalid configuration, and changes nothing
   */
  update(config: ModelRouterConfig): void;
  /** The state of every model and of every target, without secrets. */
  status(): ModelRouterStatus;
  /**
   * Makes an Express router that serves AISIX's Admin API below `/admin/v1`. Whoever has one of the keys may send the
   * provider keys' secrets, and whatever `$env://` can reach, anywhere: mount it on a private listener.
   *
   * @throws ConfigError without keys, for one that is unset, empty or cannot be sent, or where Express is not installed
   *
   * @example
   * ```ts
   * express().use(router.admin({ keys: [process.env.ADMIN_KEY] })).listen(3001, '127.0.0.1');
   * ```
   */
  admin(options: AdminOptions): AdminRouter;
}

function listener(current: CurrentConfig, gateway: Gateway, ready: Promise<unknown>, isReady: () => boolean) {
  return function serve(req: IncomingMessage, res: ServerResponse, next?: Next): void {
    const endpoint = endpointOf(req);
    if (endpoint === undefined) {
      if (next !== undefined) next();
      else
        answerJson(req, res, 404, { error: { message: 'Not found', type: 'not_found', code: 'not_found' } });
    } else if (!isReady()) {
      void ready.then(() => serve(req, res, next));
    } else if (endpoint.kind === 'generation') {
      const { table } = current;
      gateway.handle(req, res, next, new Reception(table, endpoint.takesAliases));
    } else {
      answerListing(current.table, req, res, endpoint);
    }
  };
}

/**
 * Makes a middleware that serves models by names of your own: one name may stand for several models in a row, and
 * callers have keys. It takes AISIX's models, provider keys and caller keys.
 *
 * @param config the three lists; plain JSON, never changed. Without `api_keys`, who may call is the host's business
 * @param host what JSON cannot hold: logger, hooks, secrets, a store for what the admin API changes
 * @throws ConfigError naming every fault of `config` at once, or a header name in `host` that cannot be sent
 *
 * @example
 * ```ts
 * app.use(modelRouter({
 *   provider_keys: [{ id: 'openai', display_name: 'openai', provider: 'openai', api_key: '$env://OPENAI_API_KEY' }],
 *   models: [
 *     { display_name: 'primary', provider: 'openai', model_name: 'gpt-4o', provider_key_id: 'openai' },
 *     { display_name: 'secondary', provider: 'openai', model_name: 'gpt-4o-mini', provider_key_id: 'openai' },
 *     { display_name: 'chat', routing: { targets: [{ model: 'primary' }, { model: 'secondary' }] } },
 *   ],
 *   api_keys: [{ key_hash: createHash('sha256').update('sk-of-a-caller').digest('hex'), allowed_models: ['chat'] }],
 * }));
 * ```
 */
export function modelRouter(config: ModelRouterConfig, host: ModelRouterHost = {}): ModelRouter {
  const resolved = resolveRouterHost(host);
  const current = openConfig(config, resolved);
  const gateway = makeGateway(() => new Reception(current.table, true), resolved);
  let isReady = resolved.store === undefined;
  const ready = loadStored(current, resolved).then((isUsable) => {
    isReady = true;
    return isUsable;
  });
  const registry = openRegistry(current, resolved, ready);
  return Object.assign(
    listener(current, gateway, ready, () => isReady),
    {
      async close() {
        current.close();
        await gateway.idle();
      },
      update(replacement: ModelRouterConfig) {
        current.swap(replacement);
      },
      status: (): ModelRouterStatus => ({
        ...gatewayStatus({ instances: current.table.instances, priorities: [0] }, gateway),
        models: modelStatus(current.table),
      }),
      admin: (options: AdminOptions) => makeAdminRouter(options, registry, resolved.logger),
    },
  );
}
