import type { IncomingMessage, ServerResponse } from 'node:http';
import { answerJson } from '../../answer-json.ts';
import type { Next } from '../../exchange.ts';
import type { Logger } from '../../host.ts';
import { AdminError } from './admin-error.ts';
import { makeAdminKeyTest } from './admin-key-test.ts';
import { type AdminOptions, readAdminKeys } from './admin-options.ts';
import { type Action, type Actions, adminRoutes } from './admin-routes.ts';
import { answerFailure, NO_STORE } from './answer-failure.ts';
import { loadExpress, type RoutedRequest, type RouteHandler } from './load-express.ts';
import type { ModelRegistry } from './registry.ts';

/** An Express router. Requests for anything but the admin API go to `next`. */
export type AdminRouter = (req: IncomingMessage, res: ServerResponse, next: Next) => void;

/** What a request comes to when it is an administrator's. */
function actionFor({ method = '' }: IncomingMessage, actions: Actions): Action {
  const name = method === 'HEAD' ? 'GET' : method;
  const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
  if (action !== undefined) return action;
  const allowed = Object.keys(actions).flatMap((known) => (known === 'GET' ? ['GET', 'HEAD'] : known));
  throw new AdminError(405, 'This cannot be done here.', { allow: allowed.join(', ') });
}

function makeHandler(
  actions: Actions,
  isAdmin: (req: IncomingMessage) => boolean,
  { ready }: ModelRegistry,
  logger: Logger,
): RouteHandler {
  const run = async (req: RoutedRequest): Promise<object> => {
    if (!isAdmin(req)) {
      throw new AdminError(401, 'An admin key is required.', { 'www-authenticate': 'Bearer' });
    }
    const action = actionFor(req, actions);
    if (ready !== undefined) await ready;
    return action(req);
  };
  return (req, res) => {
    run(req).then(
      (body) => answerJson(req, res, 200, body, NO_STORE),
      (error: unknown) => answerFailure(req, res, error, logger),
    );
  };
}

/**
 * Makes an Express router with AISIX's admin API under `/admin/v1/`: `models`, `provider_keys` and `apikeys` (also
 * called `api_keys`) can be listed, read, created, replaced and deleted; a caller's key can be rotated;
 * `GET /admin/v1/models/status` tells what models are up to. A change is in force, and saved, when its answer comes.
 *
 * A configuration without a list of caller keys leaves it to the host application who may call. The first key that is
 * created here begins that list: from then on everybody needs a key. Deleting the last one leaves an empty list, with
 * which nobody may call.
 *
 * Whoever may use this may send every provider's key wherever they like: mount it on a private listener.
 *
 * @throws ConfigError without admin keys, on a misspelt option, or where the package express is not installed
 */
export function makeAdminRouter(
  options: AdminOptions,
  registry: ModelRegistry,
  logger: Logger,
  express = loadExpress(),
): AdminRouter {
  const isAdmin = makeAdminKeyTest(readAdminKeys(options));
  const router = express.Router({ caseSensitive: true });
  for (const [path, actions] of adminRoutes(registry)) {
    router.route(path).all(makeHandler(actions, isAdmin, registry, logger));
  }
  router.use((error: unknown, req: RoutedRequest, res: ServerResponse, _next: Next) => {
    answerFailure(req, res, error, logger);
  });
  return router;
}
