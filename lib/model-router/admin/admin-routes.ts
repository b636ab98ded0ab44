import type { RoutedRequest } from './load-express.ts';
import { readResource } from './read-resource.ts';
import type { ModelRegistry } from './registry.ts';
import { RESOURCE_KINDS } from './resource-kinds.ts';
import { makeResources, type Resources } from './resources.ts';
import { rotate } from './rotate.ts';
import { wireStatus } from './wire-status.ts';
import { makeWriteQueue } from './write-queue.ts';

/** What a request is answered with, as JSON. */
export type Action = (req: RoutedRequest) => object | Promise<object>;

/** What can be done at a path, by the method's name. */
export type Actions = Readonly<Record<string, Action>>;

const ROOT = '/admin/v1';

function idOf({ params }: RoutedRequest): string {
  return params.id ?? '';
}

function collectionActions(resources: Resources): Actions {
  return {
    GET: () => resources.list(),
    POST: async (req) => resources.create(await readResource(req)),
  };
}

function itemActions(resources: Resources): Actions {
  return {
    GET: (req) => resources.get(idOf(req)),
    PUT: async (req) => resources.replace(idOf(req), await readResource(req)),
    DELETE: (req) => resources.remove(idOf(req)),
  };
}

/** Every path with what can be done there, the more special before the general. */
export function adminRoutes(registry: ModelRegistry): readonly (readonly [string, Actions])[] {
  const queue = makeWriteQueue();
  const models = makeResources('models', registry, queue);
  const providerKeys = makeResources('provider_keys', registry, queue);
  const callers = makeResources('api_keys', registry, queue);
  const rotation: Actions = { POST: (req) => rotate(callers, idOf(req)) };
  const routes = (paths: readonly string[], resources: Resources) =>
    paths.flatMap((path) => [
      [`${ROOT}/${path}`, collectionActions(resources)] as const,
      [`${ROOT}/${path}/:id`, itemActions(resources)] as const,
    ]);
  return [
    [`${ROOT}/models/status`, { GET: () => registry.status().map(wireStatus) }],
    ...routes(RESOURCE_KINDS.models.paths, models),
    ...routes(RESOURCE_KINDS.provider_keys.paths, providerKeys),
    ...routes(RESOURCE_KINDS.api_keys.paths, callers),
    ...RESOURCE_KINDS.api_keys.paths.map((path) => [`${ROOT}/${path}/:id/rotate`, rotation] as const),
  ];
}
