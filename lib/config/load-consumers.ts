import type { Logger } from '../host.ts';
import { dropDisabledPlugins, findPlugin, ownConfig } from './active-plugins.ts';
import { checkConfig, takeCopy } from './check-config.ts';
import { ConfigError } from './config-error.ts';
import { duplicateFaults } from './duplicate-faults.ts';
import { fillReferences } from './fill-references.ts';
import { freezeDeeply } from './freeze.ts';
import { isJsonObject, type JsonObject } from './json.ts';
import type { LoadOptions } from './load-options.ts';
import { loadRateLimiting } from './load-rate-limiting.ts';
import type { LoadedConsumer } from './loaded-key-auth.ts';
import { makePartLoader } from './part-loader.ts';
import { placedItems } from './placed.ts';
import { keyHolders, repeatedKeyFaults } from './repeated-key-faults.ts';
import { forms } from './schemas.ts';

/** The distinct keys of a consumer that has been checked. */
function keysOf(object: JsonObject): readonly string[] {
  const keys = keyHolders({ path: [], object }).map(({ object: { key } }) => key);
  return [...new Set(keys.filter((key) => typeof key === 'string'))];
}

function loadConsumer(object: JsonObject, logger: Logger, options: LoadOptions): LoadedConsumer {
  const whole = { path: [], object };
  for (const owner of [whole, ...placedItems(object, 'credentials')]) dropDisabledPlugins(owner.object);
  const parts = makePartLoader(logger);
  const limits = findPlugin(whole, 'ai-rate-limiting');
  const rateLimiting =
    limits && parts.load(limits.path, (below) => loadRateLimiting(ownConfig(limits), below, options));
  const keyFaults = keyHolders(whole).flatMap((holder) => fillReferences(holder, 'key', options));
  const { username, group_id } = checkConfig(
    object,
    forms.consumer(),
    [...keyFaults, ...parts.faults],
    logger,
  );
  if (group_id !== undefined) {
    logger.warn({ path: 'group_id' }, 'does nothing: the plugins of a consumer group are not looked up');
  }
  return freezeDeeply({ username, keys: keysOf(object), ...(rateLimiting && { rateLimiting }) });
}

function loadItem(item: unknown, logger: Logger, options: LoadOptions): LoadedConsumer {
  // What stands there in its place may be a key, and is not shown.
  if (!isJsonObject(item)) throw new ConfigError([{ path: '', message: 'must be an object' }]);
  return loadConsumer(item, logger, options);
}

function takeList(input: unknown): readonly unknown[] {
  const list = takeCopy(input);
  if (Array.isArray(list)) return list;
  throw new ConfigError([{ path: '', message: 'must be an array, each item a consumer' }]);
}

/**
 * Checks what somebody wrote for consumers, without changing it. Places are told as `consumers[i]…`.
 *
 * @throws {ConfigError} with everything that is wrong in any of them; no key is shown
 */
export function loadConsumers(
  input: unknown,
  logger: Logger,
  options: LoadOptions,
): readonly LoadedConsumer[] {
  const parts = makePartLoader(logger);
  const list = parts.load(['consumers'], () => takeList(input)) ?? [];
  const loaded = list.flatMap(
    (item, index) => parts.load(['consumers', index], (below) => loadItem(item, below, options)) ?? [],
  );
  const placed = placedItems({ consumers: list }, 'consumers');
  const faults = [...parts.faults, ...duplicateFaults(placed, 'username'), ...repeatedKeyFaults(placed)];
  if (faults.length > 0) throw new ConfigError(faults);
  return Object.freeze(loaded);
}
