import type { Logger } from '../host.ts';
import { checkConfig, takeCopy } from './check-config.ts';
import { completeCaller } from './complete-caller.ts';
import { completeDirect, completeRouting } from './complete-model.ts';
import type { ResourceKind } from './derived-id.ts';
import { freezeDeeply } from './freeze.ts';
import type { DefaultedModelConfig } from './generated/model-defaulted.ts';
import { fillIds, identityFaults } from './identity-faults.ts';
import { isJsonObject, type JsonObject } from './json.ts';
import { formatPath, type JsonPath } from './json-path.ts';
import type { LoadOptions } from './load-options.ts';
import type { LoadedModel, LoadedModelRouter } from './loaded-model-router.ts';
import { referenceFaults } from './model-references.ts';
import { makePartLoader, type PartLoader } from './part-loader.ts';
import { type Placed, placedItems } from './placed.ts';
import { makeProviderKeys, type ProviderKeys } from './provider-keys.ts';
import { loadResource, type ResourceCheck, resourceChecks } from './router-resources.ts';
import { forms } from './schemas.ts';
import { warnOfUnknown } from './unknown-fields.ts';

/** A resource that has nothing wrong in itself, and its place. */
interface Checked<Config> {
  readonly path: JsonPath;
  readonly config: Config;
}

/** What a list holds: whatever can be looked into, and what of it is right. */
interface LoadedList<Config> {
  readonly placed: readonly Placed[];
  readonly hasWrittenIds: boolean;
  readonly checked: readonly Checked<Config>[];
}

/** None where something else stands, which the schema complains about. */
function loadList<Config>(
  whole: JsonObject,
  kind: ResourceKind,
  check: ResourceCheck<Config>,
  parts: PartLoader,
  options: LoadOptions,
): LoadedList<Config> {
  const list = whole[kind];
  const items: readonly unknown[] = Array.isArray(list) ? list : [];
  const placed = placedItems(whole, kind);
  const hasWrittenIds = fillIds(kind, placed);
  const checked: Checked<Config>[] = [];
  for (const [index, item] of items.entries()) {
    const path = [kind, index];
    const config = parts.load(path, (below) => loadResource(item, check, below, options));
    if (config !== undefined) checked.push({ path, config });
  }
  return { placed, hasWrittenIds, checked };
}

function completeModel({ path, config }: Checked<DefaultedModelConfig>, keys: ProviderKeys): LoadedModel {
  const { routing, provider, model_name } = config;
  if (routing !== undefined) return freezeDeeply(completeRouting(config, routing));
  const key = provider === undefined ? undefined : keys.of(config, provider, path);
  if (provider === undefined || model_name === undefined || key === undefined) {
    throw new TypeError(`${formatPath(path)} was taken for a whole model and is none`);
  }
  return freezeDeeply(completeDirect(config, provider, model_name, key));
}

/**
 * Checks the models, provider keys and callers' keys that somebody wrote for `modelRouter`, without changing them.
 * Warns of fields that are not known, and of what is valid and will not do what its author hopes for.
 *
 * @throws {ConfigError} with everything that is wrong in any of them; no key is shown
 */
export function loadModelRouter(input: unknown, logger: Logger, options: LoadOptions): LoadedModelRouter {
  const config = takeCopy(input);
  const whole = isJsonObject(config) ? config : {};
  const parts = makePartLoader(logger);
  const keys = loadList(whole, 'provider_keys', resourceChecks.provider_keys, parts, options);
  const models = loadList(whole, 'models', resourceChecks.models, parts, options);
  const callers = loadList(whole, 'api_keys', resourceChecks.api_keys, parts, options);
  const faults = [
    ...parts.faults,
    ...identityFaults('provider_keys', keys.placed, keys.hasWrittenIds),
    ...identityFaults('models', models.placed, models.hasWrittenIds),
    ...identityFaults('api_keys', callers.placed, callers.hasWrittenIds),
    ...referenceFaults(models.placed, keys.placed),
  ];
  const { api_keys } = checkConfig(config, forms.modelRouter(), faults, logger, warnOfUnknown);
  const providerKeys = makeProviderKeys(keys.checked, logger);
  const loaded = models.checked.map((model) => completeModel(model, providerKeys));
  return Object.freeze({
    models: Object.freeze(loaded),
    ...(api_keys !== undefined && {
      callers: Object.freeze(callers.checked.map((each) => freezeDeeply(completeCaller(each.config)))),
    }),
  });
}
