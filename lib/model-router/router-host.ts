import { ConfigError } from '../config/config-error.ts';
import type { Host } from '../host.ts';
import { checkHeaderName, type ResolvedHost, resolveHost } from '../resolve-host.ts';
import type { ModelRouterStore } from './admin/model-router-store.ts';

/** What JSON cannot hold, of a model router. Every member is optional; `vars` and `onHealth` have nothing to do here. */
export interface ModelRouterHost extends Omit<Host, 'servedByHeader' | 'forwardHeaders' | 'priorityOrder'> {
  /**
   * A response header that names the target, on successful chat completions of an alias. Default: `x-aisix-served-by`;
   * `false`: none.
   */
  servedByHeader?: string | false;
  /**
   * A response header with the id (UUID v4) of a successful chat completion, which is in `res.locals.llm_call_id` as
   * well. Default: `x-aisix-call-id`; `false`: none.
   */
  callIdHeader?: string | false;
  /**
   * A response header with the id on every answer, errors included. A caller who sends it decides what the id is, if
   * it is 1 to 256 characters of visible ASCII. Default: none.
   */
  requestIdHeader?: string;
  defaults?: {
    /**
     * Further tries of the same target where neither it nor the alias says how many: of the last target only, and not
     * after a time-out. Default: 0.
     */
    readonly retries?: number;
  };
  /**
   * Keeps what the admin API changes. What it holds at the start takes the place of the configuration; requests wait
   * until it is loaded, 30 seconds at most. What cannot be loaded, or is invalid, is logged: the configuration stays,
   * and changes are refused, since they would overwrite it. Default: changes are lost with the process.
   */
  store?: ModelRouterStore;
}

/** A `ModelRouterHost` with its defaults. */
export interface RouterHost extends ResolvedHost {
  readonly callIdHeader: string | undefined;
  readonly requestIdHeader: string | undefined;
  readonly defaultRetries: number;
  readonly store: ModelRouterStore | undefined;
}

function header(value: string | false | undefined, otherwise: string | undefined, name: string) {
  return value === false ? undefined : checkHeaderName(value ?? otherwise, `host.${name}`);
}

function checkRetries(retries: number): number {
  if (Number.isSafeInteger(retries) && retries >= 0) return retries;
  const message = `is ${String(retries)}, must be a whole number, 0 or more`;
  throw new ConfigError([{ path: 'host.defaults.retries', message }]);
}

/** @throws ConfigError for a header name that cannot be sent, and a number of retries that is none */
export function resolveRouterHost(host: ModelRouterHost): RouterHost {
  const { servedByHeader, callIdHeader, requestIdHeader, defaults, store, ...rest } = host;
  return {
    ...resolveHost(rest),
    servedByHeader: header(servedByHeader, 'x-aisix-served-by', 'servedByHeader'),
    callIdHeader: header(callIdHeader, 'x-aisix-call-id', 'callIdHeader'),
    requestIdHeader: header(requestIdHeader, undefined, 'requestIdHeader'),
    defaultRetries: checkRetries(defaults?.retries ?? 0),
    store,
  };
}
