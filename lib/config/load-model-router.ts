import type { Logger } from '../host.ts';
import { checkConfig, takeCopy } from './check-config.ts';
import { completeCaller } from './complete-caller.ts';
import { completeDirect, completeRouting } from './complete-model.ts';
import { freezeDeeply } from './freeze.ts';
import type { DefaultedCallerKeyConfig } from './generated/caller-key-defaulted.ts';
import type { DefaultedModelConfig } from './generated/model-defaulted.ts';
import type { DefaultedProviderKeyConfig } from './generated/provider-key-defaulted.ts';
import { identityFaults } from './identity-faults.ts';
import { isJsonObject } from './json.ts';
import { formatPath } from './json-path.ts';
import {
  type Checked,
  checkedOf,
  type KnownResources,
  loadList,
  madeOf,
  placedOf,
  type Reading,
} from './load-list.ts';
import type { LoadOptions } from './load-options.ts';
import type { LoadedCaller, LoadedModel, LoadedModelRouter } from './loaded-model-router.ts';
import { referenceFaults } from './model-references.ts';
import { makePartLoader } from './part-loader.ts';
import { makeProviderKeys, type ProviderKeys } from './provider-keys.ts';
import { resourceChecks } from './router-resources.ts';
import { forms } from './schemas.ts';
import { warnOfUnknown } from './unknown-fields.ts';

const keyReading: Reading<DefaultedProviderKeyConfig, DefaultedProviderKeyConfig> = {
  kind: 'provider_keys',
  check: resourceChecks.provider_keys,
  make: (config) => config,
};

const modelReading: Reading<DefaultedModelConfig, DefaultedModelConfig> = {
  kind: 'models',
  check: resourceChecks.models,
  make: (config) => config,
};

const callerReading: Reading<DefaultedCallerKeyConfig, LoadedCaller> = {
  kind: 'api_keys',
  check: resourceChecks.api_keys,
  make: (config) => freezeDeeply(completeCaller(config)),
};

function completeModel(
  { path, made: config }: Checked<DefaultedModelConfig>,
  keys: ProviderKeys,
): LoadedModel {
  const { routing, provider, model_name } = config;
  if (routing !== undefined) return freezeDeeply(completeRouting(config, routing));
  const key = provider === undefined ? undefined : keys.of(config, provider, path);
  if (provider === undefined || model_name === undefined || key === undefined) {
    throw new TypeError(`${formatPath(path)} was taken for a whole model and is none`);
  }
  return freezeDeeply(completeDirect(config, provider, model_name, key));
}

/** Keys are always read anew: what they refer to may have changed. */
const NO_KEYS: KnownResources<DefaultedProviderKeyConfig> = new Map();

/** What the last configuration that was right has come to. */
interface Known {
  readonly models: KnownResources<DefaultedModelConfig>;
  readonly callers: KnownResources<LoadedCaller>;
}

/**
 * Reads one configuration of a router after the other, each as `loadModelRouter` does. A model or a caller that is
 * written as in the one before is only compared: it is not checked again, nor are its unknown fields warned of again.
 */
export interface ModelRouterLoader {
  /**
   * @param source what `takeCopy` has made, and nobody changes later
   * @throws {ConfigError} with everything that is wrong in any of its resources; no key is shown
   */
  load(source: unknown): LoadedModelRouter;
}

export function makeModelRouterLoader(logger: Logger, options: LoadOptions): ModelRouterLoader {
  let known: Known = { models: new Map(), callers: new Map() };

  function load(source: unknown): LoadedModelRouter {
    const whole = isJsonObject(source) ? source : {};
    const parts = makePartLoader(logger);
    const keys = loadList(whole, keyReading, NO_KEYS, parts, options);
    const models = loadList(whole, modelReading, known.models, parts, options);
    const callers = loadList(whole, callerReading, known.callers, parts, options);
    const faults = [
      ...parts.faults,
      ...identityFaults(keys),
      ...identityFaults(models),
      ...identityFaults(callers),
      ...referenceFaults(placedOf(models), placedOf(keys)),
    ];
    const { api_keys } = checkConfig(source, forms.modelRouter(), faults, logger, warnOfUnknown);
    known = { models: models.byName, callers: callers.byName };
    const providerKeys = makeProviderKeys(checkedOf(keys), logger);
    return Object.freeze({
      models: Object.freeze(checkedOf(models).map((model) => completeModel(model, providerKeys))),
      ...(api_keys !== undefined && { callers: Object.freeze(madeOf(callers)) }),
    });
  }

  return { load };
}

/**
 * Checks the models, provider keys and callers' keys that somebody wrote for `modelRouter`, without changing them.
 * Warns of fields that are not known, and of what is valid and will not do what its author hopes for.
 *
 * @throws {ConfigError} with everything that is wrong in any of them; no key is shown
 */
export function loadModelRouter(input: unknown, logger: Logger, options: LoadOptions): LoadedModelRouter {
  return makeModelRouterLoader(logger, options).load(takeCopy(input));
}
