import type { Logger } from '../host.ts';
import { completeMulti, completeSingle } from './complete-config.ts';
import { ConfigError, type ConfigFault } from './config-error.ts';
import { copyJson } from './copy-json.ts';
import { duplicateNameFaults } from './duplicate-name-faults.ts';
import { isEarlyForm, modernise } from './early-form.ts';
import { endpointFaults } from './endpoint-faults.ts';
import { fillAuth } from './fill-auth.ts';
import { freezeDeeply } from './freeze.ts';
import { warnOfInstance } from './instance-warnings.ts';
import { isJsonObject } from './json.ts';
import type { LoadedConfig } from './loaded-config.ts';
import { type Placed, placedItems } from './placed.ts';
import { schemaFaults } from './schema-faults.ts';
import { type ConfigForm, forms } from './schemas.ts';
import { warnOfTypos } from './typo-warnings.ts';

/** What the loader has to know of the `host`. */
export interface LoadOptions {
  /** Whether there is a `host.secret`. Without one a `$secret://` reference is a fault. */
  readonly hasSecretResolver: boolean;
}

/** What the loader finds out about one instance beyond its schema; also fills in its references. */
function instanceFaults(instances: readonly Placed[], options: LoadOptions): readonly ConfigFault[] {
  return instances.flatMap((instance) => [...endpointFaults(instance), ...fillAuth(instance, options)]);
}

/** The configuration, if neither its schema nor `moreFaults` has anything against it. Fills in defaults. */
function check<Config>(
  config: unknown,
  form: ConfigForm<Config>,
  moreFaults: readonly ConfigFault[],
): Config {
  const { schema, validate } = form;
  if (validate(config) && moreFaults.length === 0) return config;
  throw new ConfigError([...schemaFaults(validate.errors ?? [], config, schema), ...moreFaults]);
}

/** A copy that may be changed; throws at once if there is none, since nothing else is worth saying then. */
function takeCopy(input: unknown): unknown {
  const { value, faults } = copyJson(input);
  if (faults.length > 0) throw new ConfigError(faults);
  return value;
}

function loadModern(config: unknown, logger: Logger, options: LoadOptions): LoadedConfig {
  const instances = placedItems(config, 'instances');
  const faults = [...duplicateNameFaults(instances), ...instanceFaults(instances, options)];
  const checked = check(config, forms().multi, faults);
  warnOfTypos(checked, forms().multi.schema, logger);
  for (const [index, instance] of checked.instances.entries()) {
    warnOfInstance(instance, instance.provider, ['instances', index], logger);
  }
  return freezeDeeply(completeMulti(checked, false));
}

function bothFormsFaults(config: object): readonly ConfigFault[] {
  if (!('instances' in config)) return [];
  return [
    { path: 'instances', message: 'cannot stand beside "providers", which is its early form; use one' },
  ];
}

function loadEarly(config: object, logger: Logger, options: LoadOptions): LoadedConfig {
  const faults = [...bothFormsFaults(config), ...instanceFaults(placedItems(config, 'providers'), options)];
  const checked = check(config, forms().early, faults);
  warnOfTypos(checked, forms().early.schema, logger);
  for (const [index, provider] of checked.providers.entries()) {
    warnOfInstance(provider, provider.name, ['providers', index], logger);
  }
  return freezeDeeply(completeMulti(modernise(checked), checked.passthrough));
}

/**
 * Checks what somebody wrote for `ai-proxy-multi`, in today's or in the early form, without changing it.
 * Warns of what is valid and looks like a slip.
 *
 * @throws {ConfigError} with everything that is wrong.
 */
export function loadMultiConfig(input: unknown, logger: Logger, options: LoadOptions): LoadedConfig {
  const config = takeCopy(input);
  return isEarlyForm(config) ? loadEarly(config, logger, options) : loadModern(config, logger, options);
}

/**
 * The same for `ai-proxy`, whose single instance gets the name `ai-proxy-{provider}`.
 *
 * @throws {ConfigError} with everything that is wrong.
 */
export function loadSingleConfig(input: unknown, logger: Logger, options: LoadOptions): LoadedConfig {
  const config = takeCopy(input);
  const instances = isJsonObject(config) ? [{ path: [], object: config }] : [];
  const checked = check(config, forms().single, instanceFaults(instances, options));
  warnOfTypos(checked, forms().single.schema, logger);
  warnOfInstance(checked, checked.provider, [], logger);
  return freezeDeeply(completeSingle(checked));
}
