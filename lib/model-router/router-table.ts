import type {
  LoadedCaller,
  LoadedDirectModel,
  LoadedModel,
  LoadedModelRouter,
  LoadedProviderKey,
} from '../config/loaded-model-router.ts';
import type { Instance } from '../plan.ts';
import { withheldHeaders } from '../upstream/request-headers.ts';
import { adapters } from './adapters.ts';
import { makeAddressList } from './address-list.ts';
import { type CallerIndex, makeCallerIndex } from './caller-index.ts';
import { type ServedModel, serveAlias, serveDirect } from './compile-model.ts';
import { modelLister } from './model-list.ts';
import { PUBLIC_HEADERS } from './public-headers.ts';
import type { SharedPlan } from './routed-request.ts';
import type { RouterHost } from './router-host.ts';
import type { Target } from './target.ts';
import type { TargetPool } from './target-pool.ts';
import type { UsageMeter } from './usage-limits.ts';
import { nextMeters, type UsageMeters } from './usage-meters.ts';

/** Of requests, as in APISIX's plugin: 64 MiB, and 30 s of a caller's silence. */
const LIMITS = { timeoutMs: 30_000, maxRequestBytes: 64 * 1024 * 1024 };

/** One configuration of a router, open. */
export interface RouterTable {
  readonly host: RouterHost;
  readonly shared: SharedPlan;
  readonly loaded: readonly LoadedModel[];
  /** By the names that callers may use. */
  readonly models: ReadonlyMap<string, ServedModel>;
  readonly targets: ReadonlyMap<string, Target>;
  readonly instances: readonly Instance[];
  /** `undefined` where callers are the host application's business. */
  readonly callers: CallerIndex | undefined;
  readonly callerMeters: ReadonlyMap<LoadedCaller, UsageMeter>;
  readonly meters: UsageMeters;
  /** Whether anybody's use is limited. */
  readonly isLimited: boolean;
  readonly list: ReturnType<typeof modelLister>;
  close(): void;
}

function secretHeaders({ request }: LoadedProviderKey): readonly string[] {
  return Object.keys(request.defaultHeaders).filter((name) => !PUBLIC_HEADERS.has(name));
}

function sharedPlan(models: readonly LoadedDirectModel[]): SharedPlan {
  const injected = new Set([
    ...Object.values(adapters).flatMap(({ key, chatKey }) => [key.name, chatKey.name]),
    ...models.flatMap(({ providerKey }) => secretHeaders(providerKey)),
  ]);
  const isForwarded = (): boolean => false;
  return {
    limits: LIMITS,
    logging: { summaries: false, payloads: false },
    withheldHeaders: withheldHeaders(
      Object.values(adapters).flatMap(({ key, chatKey }) => [key.name, chatKey.name]),
      isForwarded,
    ),
    injectedHeaders: injected,
    priorities: [0],
    isForwarded,
    close() {},
  };
}

function limitedOnes({ models, callers = [] }: LoadedModelRouter) {
  return [
    ...models.map(({ id, limits }) => ({ key: `model:${id}`, limits })),
    ...callers.map(({ id, limits }) => ({ key: `caller:${id}`, limits })),
  ];
}

function openTargets(
  models: readonly LoadedDirectModel[],
  meters: UsageMeters,
  pool: TargetPool,
): ReadonlyMap<string, Target> {
  return new Map(
    models.map((model) => {
      const { allowedCidrs, id } = model;
      const addresses = allowedCidrs === undefined ? undefined : makeAddressList(allowedCidrs);
      return [model.name, { ...pool.take(model), model, addresses, meter: meters.get(`model:${id}`)?.meter }];
    }),
  );
}

function serve(model: LoadedModel, targets: ReadonlyMap<string, Target>, meters: UsageMeters): ServedModel {
  const meter = meters.get(`model:${model.id}`)?.meter;
  if (model.kind === 'routing') return serveAlias(model, targets, meter);
  const target = targets.get(model.name);
  if (target === undefined) throw new TypeError('A direct model has no target');
  return serveDirect(model, target, meter);
}

function metersOf(callers: readonly LoadedCaller[], meters: UsageMeters) {
  return new Map(
    callers.flatMap((caller): [LoadedCaller, UsageMeter][] => {
      const kept = meters.get(`caller:${caller.id}`);
      return kept === undefined ? [] : [[caller, kept.meter]];
    }),
  );
}

/**
 * Opens a configuration.
 *
 * @param previous the meters of the one before, which go on where their limits are the same
 */
export function openTable(
  loaded: LoadedModelRouter,
  previous: UsageMeters,
  pool: TargetPool,
  host: RouterHost,
): RouterTable {
  const direct = loaded.models.filter((model) => model.kind === 'direct');
  const meters = nextMeters(previous, limitedOnes(loaded));
  const targets = openTargets(direct, meters, pool);
  const { callers } = loaded;
  return {
    host,
    shared: sharedPlan(direct),
    loaded: loaded.models,
    models: new Map(loaded.models.map((model) => [model.name, serve(model, targets, meters)])),
    targets,
    instances: [...targets.values()].map(({ instance }) => instance),
    callers: callers && makeCallerIndex(callers),
    callerMeters: metersOf(callers ?? [], meters),
    meters,
    isLimited: meters.size > 0,
    list: modelLister(loaded.models, Math.floor(Date.now() / 1000)),
    close() {
      for (const model of direct) pool.release(model);
    },
  };
}
