/** A number as it stands, or text with variables that must resolve to a whole number above 0. */
export type NumberOrTemplate = number | string;

/** So much in so long. */
export interface LoadedLimit {
  /** Tokens, or what `cost_expr` comes to. */
  readonly limit: NumberOrTemplate;
  /** Seconds. */
  readonly timeWindow: NumberOrTemplate;
}

export interface LoadedInstanceLimit extends LoadedLimit {
  /** The instance's name. */
  readonly name: string;
}

export interface LoadedRule extends LoadedLimit {
  /** A template; where none of its variables resolves to anything, the rule does not apply. */
  readonly key: string;
  /** `header_prefix`, else the rule's place among the rules, counted from 1. */
  readonly headerPrefix: string;
}

/** What `cost_expr` compiles to: the cost of one answer, from the usage object as the LLM wrote it. */
export type CostExpression = (usage: Readonly<Record<string, unknown>>) => number;

export interface LoadedRedisSettings {
  readonly policy: 'redis';
  readonly host: string;
  readonly port: number;
  readonly username?: string;
  /** `$env://` references are resolved; `$secret://` ones are still in the text. The same for every password here. */
  readonly password?: string;
  readonly database: number;
  /** Milliseconds, for connecting and for each answer. */
  readonly timeout: number;
  readonly ssl: boolean;
  readonly sslVerify: boolean;
}

export interface LoadedRedisClusterSettings {
  readonly policy: 'redis-cluster';
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  /** Only for logs: Redis itself has no use for it. */
  readonly name: string;
  readonly password?: string;
  /** Milliseconds. */
  readonly timeout: number;
  readonly ssl: boolean;
  readonly sslVerify: boolean;
}

export interface LoadedRedisSentinelSettings {
  readonly policy: 'redis-sentinel';
  readonly sentinels: readonly { readonly host: string; readonly port: number }[];
  readonly masterName: string;
  readonly role: 'master' | 'slave';
  readonly username?: string;
  readonly password?: string;
  readonly sentinelUsername?: string;
  readonly sentinelPassword?: string;
  readonly database: number;
  /** Milliseconds. */
  readonly connectTimeout: number;
  /** Milliseconds. */
  readonly readTimeout: number;
}

/** Where counters that several processes share are kept. */
export type LoadedSharedStore =
  | LoadedRedisSettings
  | LoadedRedisClusterSettings
  | LoadedRedisSentinelSettings;

/** Where the counters are kept. */
export type LoadedStore = { readonly policy: 'local' } | LoadedSharedStore;

/** A checked `ai-rate-limiting` configuration, its defaults filled in, frozen throughout. */
export interface LoadedRateLimiting {
  /** For every instance that `instances` does not name, each counted by itself, as APISIX does. */
  readonly global?: LoadedLimit;
  readonly instances: readonly LoadedInstanceLimit[];
  /** Where there are rules, there is neither `global` nor `instances`. */
  readonly rules: readonly LoadedRule[];
  readonly strategy: 'total_tokens' | 'prompt_tokens' | 'completion_tokens' | 'expression';
  /** Present whenever `strategy` is `expression`. */
  readonly cost?: CostExpression;
  readonly rejectedCode: number;
  readonly rejectedMessage?: string;
  readonly showsHeaders: boolean;
  readonly allowsDegradation: boolean;
  readonly store: LoadedStore;
  /** What every key in the store starts with. */
  readonly keyPrefix: string;
  /**
   * A short digest of what is counted and how (limits, windows, keys, strategy, expression): part of the counters'
   * keys, so that a changed configuration starts with fresh counters, as APISIX's do.
   */
  readonly fingerprint: string;
}
