import type { Logger } from '../host.ts';
import { completeProviderKey, vendorOf } from './complete-provider-key.ts';
import { freezeDeeply } from './freeze.ts';
import type { DefaultedModelConfig } from './generated/model-defaulted.ts';
import type { DefaultedProviderKeyConfig } from './generated/provider-key-defaulted.ts';
import { formatPath, type JsonPath } from './json-path.ts';
import type { Checked } from './load-list.ts';
import type { LoadedProviderKey } from './loaded-model-router.ts';

type CheckedKey = Checked<DefaultedProviderKeyConfig>;

/** The keys that models are called with. */
export interface ProviderKeys {
  /** The one that a model refers to. The same for all models of a vendor. */
  of(model: DefaultedModelConfig, vendor: string, path: JsonPath): LoadedProviderKey | undefined;
}

function warnOfLacks(
  { path, made: config }: CheckedKey,
  { apiKey, apiBase }: LoadedProviderKey,
  logger: Logger,
): void {
  const refused = 'requests for its models are refused';
  if (!apiKey) logger.warn({ path: formatPath([...path, 'api_key']) }, `missing: ${refused}`);
  if (apiBase !== undefined) return;
  const whose = vendorOf(config) === undefined ? 'a vendor' : JSON.stringify(vendorOf(config));
  const place = formatPath([...path, 'api_base']);
  logger.warn({ path: place }, `missing, and no address of ${whose} is known: ${refused}`);
}

/** Where a request goes, the key decides: nobody's key is sent to somebody else. */
function warnOfOtherVendor(own: string | undefined, vendor: string, path: JsonPath, logger: Logger): void {
  if (own === undefined || own === vendor) return;
  const place = formatPath([...path, 'provider']);
  logger.warn({ path: place }, `is "${vendor}", but its provider key is one of "${own}", where requests go`);
}

function findKey(
  { provider_key_id: id, provider_key: name }: DefaultedModelConfig,
  byId: ReadonlyMap<string, CheckedKey>,
  byName: ReadonlyMap<string, CheckedKey>,
): CheckedKey | undefined {
  return id === undefined ? byName.get(name ?? '') : byId.get(id);
}

/** Completes the keys as models ask for them, each once for every vendor, and warns of what they lack. */
export function makeProviderKeys(keys: readonly CheckedKey[], logger: Logger): ProviderKeys {
  const byId = new Map(keys.map((key) => [String(key.made.id), key]));
  const byName = new Map(keys.map((key) => [key.made.display_name, key]));
  const completed = new Map<CheckedKey, Map<string, LoadedProviderKey>>(keys.map((key) => [key, new Map()]));

  function complete(key: CheckedKey, vendor: string): LoadedProviderKey {
    const known = completed.get(key)?.get(vendor);
    if (known !== undefined) return known;
    const loaded = freezeDeeply(completeProviderKey(key.made, vendor));
    completed.get(key)?.set(vendor, loaded);
    warnOfLacks(key, loaded, logger);
    return loaded;
  }

  return {
    of(model, vendor, path) {
      const key = findKey(model, byId, byName);
      if (key === undefined) return undefined;
      const own = vendorOf(key.made);
      warnOfOtherVendor(own, vendor, path, logger);
      return complete(key, own ?? vendor);
    },
  };
}
