import type { Logger } from '../host.ts';
import { checkConfig, takeCopy } from './check-config.ts';
import { completeMulti, completeSingle } from './complete-config.ts';
import type { ConfigFault } from './config-error.ts';
import { duplicateFaults } from './duplicate-faults.ts';
import { isEarlyForm, modernise } from './early-form.ts';
import { endpointFaults } from './endpoint-faults.ts';
import { fillAuth } from './fill-auth.ts';
import { freezeDeeply } from './freeze.ts';
import { warnOfInstance } from './instance-warnings.ts';
import { isJsonObject } from './json.ts';
import type { LoadOptions } from './load-options.ts';
import type { LoadedConfig } from './loaded-config.ts';
import { type Placed, placedItems } from './placed.ts';
import { forms } from './schemas.ts';

/** What the loader finds out about one instance beyond its schema; also fills in its references. */
function instanceFaults(instances: readonly Placed[], options: LoadOptions): readonly ConfigFault[] {
  return instances.flatMap((instance) => [...endpointFaults(instance), ...fillAuth(instance, options)]);
}

function loadModern(config: unknown, logger: Logger, options: LoadOptions): LoadedConfig {
  const instances = placedItems(config, 'instances');
  const faults = [...duplicateFaults(instances, 'name'), ...instanceFaults(instances, options)];
  const checked = checkConfig(config, forms.multi(), faults, logger);
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
  const checked = checkConfig(config, forms.early(), faults, logger);
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
  const checked = checkConfig(config, forms.single(), instanceFaults(instances, options), logger);
  warnOfInstance(checked, checked.provider, [], logger);
  return freezeDeeply(completeSingle(checked));
}
