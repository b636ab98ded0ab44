import type { Logger } from '../host.ts';
import { callerKeyFaults } from './caller-key-faults.ts';
import { checkConfig } from './check-config.ts';
import type { ConfigFault } from './config-error.ts';
import type { JsonObject } from './json.ts';
import type { LoadOptions } from './load-options.ts';
import { modelFaults } from './model-faults.ts';
import type { Placed } from './placed.ts';
import { providerKeyFaults } from './provider-key-faults.ts';
import { type ConfigForm, forms } from './schemas.ts';
import { warnOfUnknown } from './unknown-fields.ts';

/** What a kind of resource is checked by, each for itself. */
export interface ResourceCheck<Config> {
  readonly form: () => ConfigForm<Config>;
  /** What its schema cannot say; also fills in references. */
  readonly findFaults: (resource: Placed, options: LoadOptions) => readonly ConfigFault[];
}

/** By the lists that the resources stand in. */
export const resourceChecks = {
  models: { form: forms.model, findFaults: modelFaults },
  provider_keys: { form: forms.providerKey, findFaults: providerKeyFaults },
  api_keys: { form: forms.callerKey, findFaults: callerKeyFaults },
};

/** What stands in the place of a resource may be a key, and is not shown. */
export const NO_RESOURCE = 'must be an object';

/**
 * Checks one resource, and fills in its defaults in place. Warns of every field that is not known.
 *
 * @throws {ConfigError} with everything that is wrong
 */
export function loadResource<Config>(
  resource: JsonObject,
  { form, findFaults }: ResourceCheck<Config>,
  logger: Logger,
  options: LoadOptions,
): Config {
  const faults = findFaults({ path: [], object: resource }, options);
  return checkConfig(resource, form(), faults, logger, warnOfUnknown);
}
