import type { Host } from '../host.ts';
import { checkHeaderName, type ResolvedHost, resolveHost } from '../resolve-host.ts';
import type { ModelRouterStore } from './admin/model-router-store.ts';

/** What JSON cannot hold, of a model router. */
export interface ModelRouterHost extends Omit<Host, 'servedByHeader' | 'forwardHeaders' | 'priorityOrder'> {
  /** Names the target that answered an alias. Default: `x-aisix-served-by`; `false`: none. */
  servedByHeader?: string | false;
  /** Holds the id of a successful chat completion. Default: `x-aisix-call-id`; `false`: none. */
  callIdHeader?: string | false;
  /** Holds the id on every answer, errors included, and is taken over from a caller who sends it. Default: none. */
  requestIdHeader?: string;
  defaults?: {
    /** Further tries of the same target where neither it nor the alias says how many. Default: 0. */
    readonly retries?: number;
  };
  /**
   * Keeps what the admin API changes. What it holds at the start takes the place of the configuration; requests wait
   * until it is loaded. Default: changes are lost with the process.
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

/** @throws ConfigError for a header name that cannot be sent */
export function resolveRouterHost(host: ModelRouterHost): RouterHost {
  const { servedByHeader, callIdHeader, requestIdHeader, defaults, store, ...rest } = host;
  return {
    ...resolveHost(rest),
    servedByHeader: header(servedByHeader, 'x-aisix-served-by', 'servedByHeader'),
    callIdHeader: header(callIdHeader, 'x-aisix-call-id', 'callIdHeader'),
    requestIdHeader: header(requestIdHeader, undefined, 'requestIdHeader'),
    defaultRetries: defaults?.retries ?? 0,
    store,
  };
}
