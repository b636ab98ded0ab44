import type { LoadedDirectModel, LoadedModel, LoadedModelRouter } from '../config/loaded-model-router.ts';
import type { Instance } from '../plan.ts';
import { withheldHeaders } from '../upstream/request-headers.ts';
import { adapters } from './adapters.ts';
import { makeAddressList } from './address-list.ts';
import { type CallerIndex, makeCallerIndex } from './caller-index.ts';
import { type ServedModel, serveAlias, serveDirect } from './compile-model.ts';
import { modelLister } from './model-list.ts';
import type { SharedPlan } from './routed-request.ts';
import type { RouterHost } from './router-host.ts';
import type { Target } from './target.ts';
import { isUsedAlike, type TargetPool } from './target-pool.ts';
import type { UsageMeter } from './usage-limits.ts';
import { nextMeters, type UsageMeters } from './usage-meters.ts';

/** Of requests, as in APISIX's plugin: 64 MiB, and 30 s of a caller's silence. */
const LIMITS = { timeoutMs: 30_000, maxRequestBytes: 64 * 1024 * 1024 };

const NO_METERS: UsageMeters = new Map();

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
  readonly modelMeters: UsageMeters;
  readonly callerMeters: UsageMeters;
  readonly list: ReturnType<typeof modelLister>;
  close(): void;
}

/** What tells of the router itself must not seem to come from it where an upstream has sent it. */
function ownHeaders({ servedByHeader, callIdHeader }: RouterHost): readonly string[] {
  const own = ['x-aisix-served-by', 'x-aisix-call-id', servedByHeader, callIdHeader];
  return own.flatMap((name) => name?.toLowerCase() ?? []);
}

function sharedPlan(models: readonly LoadedDirectModel[], host: RouterHost): SharedPlan {
  const injected = new Set([
    ...ownHeaders(host),
    ...Object.values(adapters).flatMap(({ key, chatKey }) => [key.name, chatKey.name]),
    ...models.flatMap(({ providerKey }) => Object.keys(providerKey.request.defaultHeaders)),
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

function openTargets(
  models: readonly LoadedDirectModel[],
  meters: UsageMeters,
  pool: TargetPool,
  previous: RouterTable | undefined,
): ReadonlyMap<string, Target> {
  return new Map(
    models.map((model): [string, Target] => {
      const { name, allowedCidrs, id } = model;
      const open = pool.take(model);
      const meter = meters.get(id)?.meter;
      const known = previous?.targets.get(name);
      // An instance is the same only where everything else of the model is.
      const isSame = known?.instance === open.instance && known.meter === meter;
      if (isSame && isUsedAlike(known.model, model)) return [name, known];
      const addresses = allowedCidrs === undefined ? undefined : makeAddressList(allowedCidrs);
      return [name, { ...open, model, addresses, meter }];
    }),
  );
}

function serve(
  model: LoadedModel,
  targets: ReadonlyMap<string, Target>,
  meter: UsageMeter | undefined,
  known: ServedModel | undefined,
): ServedModel {
  if (model.kind === 'routing') return serveAlias(model, targets, meter, known);
  const target = targets.get(model.name);
  if (target === undefined) throw new TypeError('A direct model has no target');
  return serveDirect(model, target, meter);
}

/** A model that is served as before goes on with whose turn it is. */
function isSameAs(known: ServedModel, model: LoadedModel, targets: RouterTable['targets']): boolean {
  for (const { target } of known.seats.values()) {
    if (targets.get(target.model.name) !== target) return false;
  }
  // Of a direct model, the target is everything.
  if (known.loaded.kind === 'direct' && model.kind === 'direct') return true;
  return JSON.stringify(known.loaded) === JSON.stringify(model);
}

function serveAll(
  models: readonly LoadedModel[],
  targets: ReadonlyMap<string, Target>,
  meters: UsageMeters,
  previous: RouterTable | undefined,
): ReadonlyMap<string, ServedModel> {
  return new Map(
    models.map((model): [string, ServedModel] => {
      const meter = meters.get(model.id)?.meter;
      const known = previous?.models.get(model.name);
      if (known !== undefined && known.meter === meter && isSameAs(known, model, targets)) {
        return [model.name, known];
      }
      return [model.name, serve(model, targets, meter, known)];
    }),
  );
}

/**
 * Opens a configuration.
 *
 * @param previous the one before, of which goes on whatever is the same: meters, targets, whose turn it is
 */
export function openTable(
  loaded: LoadedModelRouter,
  previous: RouterTable | undefined,
  pool: TargetPool,
  host: RouterHost,
): RouterTable {
  const direct = loaded.models.filter((model) => model.kind === 'direct');
  const { models, callers } = loaded;
  const modelMeters = nextMeters(previous?.modelMeters ?? NO_METERS, models);
  const targets = openTargets(direct, modelMeters, pool, previous);
  let isOpen = true;
  return {
    host,
    shared: sharedPlan(direct, host),
    loaded: models,
    models: serveAll(models, targets, modelMeters, previous),
    targets,
    instances: [...targets.values()].map(({ instance }) => instance),
    callers: callers && makeCallerIndex(callers),
    modelMeters,
    callerMeters: nextMeters(previous?.callerMeters ?? NO_METERS, callers ?? []),
    list: modelLister(models, Math.floor(Date.now() / 1000)),
    close() {
      // Twice would take from another table that holds the same targets.
      if (isOpen) for (const model of direct) pool.release(model);
      isOpen = false;
    },
  };
}
