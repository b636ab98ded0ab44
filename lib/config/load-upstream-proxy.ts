import type { Logger } from '../host.ts';
import { checkConfig, takeCopy } from './check-config.ts';
import { completeUpstreams } from './complete-upstreams.ts';
import type { ConfigFault } from './config-error.ts';
import { describeValue } from './describe-value.ts';
import { freezeDeeply } from './freeze.ts';
import { isJsonObject, type JsonObject } from './json.ts';
import type { LoadedUpstream } from './load-upstream.ts';
import type { LoadedConfig } from './loaded-config.ts';
import { forms } from './schemas.ts';
import { didYouMean } from './suggest.ts';

/** Upstreams by their ids; `undefined` stands for one that has faults of its own. */
export type Upstreams = ReadonlyMap<string, LoadedUpstream | undefined>;

/** What the usual form of ai-proxy has. */
const OF_OTHER_FORM = ['provider', 'auth', 'options', 'override', 'provider_conf'];

/** Whether somebody wrote `upstream_id`: the form of ai-proxy that seed 004 has. */
export function isUpstreamForm(config: JsonObject): boolean {
  return config.upstream_id !== undefined;
}

/** What is no id at all the schema complains about. */
function idFaults(config: JsonObject, field: string, upstreams: Upstreams): readonly ConfigFault[] {
  const id = config[field];
  if ((typeof id !== 'string' && typeof id !== 'number') || upstreams.has(String(id))) return [];
  const hint = didYouMean(String(id), [...upstreams.keys()]);
  const message = `is ${describeValue(id, [field])}, must be the id of one of the upstreams${hint}`;
  return [{ path: field, message }];
}

function sameIdFaults({ upstream_id, upstream_fallback_id }: JsonObject): readonly ConfigFault[] {
  if (upstream_fallback_id === undefined || String(upstream_id) !== String(upstream_fallback_id)) return [];
  return [{ path: 'upstream_fallback_id', message: 'must differ from upstream_id' }];
}

function otherFormFaults(config: JsonObject): readonly ConfigFault[] {
  return OF_OTHER_FORM.filter((field) => field in config).map((field) => ({
    path: field,
    message: 'cannot stand beside "upstream_id", which is another form of ai-proxy; use one',
  }));
}

/**
 * Checks ai-proxy in the form that names upstreams. `undefined` where one of them has faults, which are told where
 * it stands.
 *
 * @throws {ConfigError} with everything that is wrong
 */
export function loadUpstreamProxy(
  input: unknown,
  upstreams: Upstreams,
  logger: Logger,
): LoadedConfig | undefined {
  const config = takeCopy(input);
  const object = isJsonObject(config) ? config : {};
  const faults = [
    ...idFaults(object, 'upstream_id', upstreams),
    ...idFaults(object, 'upstream_fallback_id', upstreams),
    ...sameIdFaults(object),
    ...otherFormFaults(object),
  ];
  const checked = checkConfig(config, forms.singleUpstream(), faults, logger);
  const { upstream_id, upstream_fallback_id } = checked;
  const primary = upstreams.get(String(upstream_id));
  const fallback = upstreams.get(String(upstream_fallback_id));
  if (primary === undefined) return undefined;
  if (upstream_fallback_id === undefined) return freezeDeeply(completeUpstreams(checked, [primary]));
  return fallback && freezeDeeply(completeUpstreams(checked, [primary, fallback]));
}
