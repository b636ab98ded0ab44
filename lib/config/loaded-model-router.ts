import type { Network } from './cidr.ts';
import type { JsonRecord } from './loaded-config.ts';
import type { LoadedCooldown } from './loaded-cooldown.ts';

export type { LoadedCooldown } from './loaded-cooldown.ts';

/** The protocol family an upstream speaks; `anthropic` has its own Messages API and OpenAI's chat beside it. */
export type Adapter = 'openai' | 'anthropic' | 'azure-openai';

/** A paid probe: a real chat of one message. */
export interface LoadedBackgroundCheck {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly prompt: string;
  readonly maxTokens: number;
  readonly ignoreStatuses: readonly number[];
  /** After this time without a check, what the last one found says nothing any more. */
  readonly staleAfterMs: number;
}

/** How much a model or a caller may use. Absent fields limit nothing. */
export interface LoadedUsageLimits {
  /** 0 lets nothing through. Requests per second, minute, hour, day. */
  readonly rps?: number;
  readonly rpm?: number;
  readonly rph?: number;
  readonly rpd?: number;
  /** Tokens per minute, day. */
  readonly tpm?: number;
  readonly tpd?: number;
  /** Requests under way at the same time. */
  readonly concurrency?: number;
}

/** What a provider key changes in requests that go out with it. */
export interface LoadedRequestOverrides {
  /** Top-level members of the body by their old names, and the new ones. No prototype. */
  readonly paramRenames: Readonly<Record<string, string>>;
  readonly temperatureMin?: number;
  readonly temperatureMax?: number;
  /**
   * Sent unless the client's own header of that name is forwarded. Names in lower case; no prototype. `$env://` filled
   * in; values may hold `$secret://`.
   */
  readonly defaultHeaders: Readonly<Record<string, string>>;
  /** Names, each with at most one `*`, in lower case. */
  readonly forwardClientHeaders: readonly string[];
  /** Added to the body where it lacks them. */
  readonly defaultBodyFields: JsonRecord;
}

export interface LoadedProviderKey {
  readonly id: string;
  readonly displayName: string;
  readonly adapter: Adapter;
  /** `$env://` filled in; may hold `$secret://`. Absent or '': requests are refused, since nothing could be sent. */
  readonly apiKey?: string;
  /**
   * The upstream's root, without a trailing slash: the endpoint's suffix (`/chat/completions`; for `anthropic`
   * `/v1/messages`; for `azure-openai` `/openai/deployments/{upstreamModel}/chat/completions`) is appended. Absent for
   * a vendor without an address of its own.
   */
  readonly apiBase?: string;
  /** What `api_base` had behind a `?`, such as `api-version=…`, without it: goes along with every request. */
  readonly query?: string;
  readonly verifyCertificate: boolean;
  /** PEM. */
  readonly caCertificate?: string;
  readonly request: LoadedRequestOverrides;
  /** Header names, in lower case, that never reach the upstream. */
  readonly stripHeaders: readonly string[];
}

interface LoadedModelBase {
  readonly id: string;
  /** `display_name`: what callers write in `model`. */
  readonly name: string;
  /** `Infinity`: none. Absent: not said here. */
  readonly timeoutMs?: number;
  /** Longest silence in a stream, the one before the first chunk included. Absent: not said here. */
  readonly streamTimeoutMs?: number;
  readonly limits: LoadedUsageLimits;
  /** Where callers may come from; at least one. Absent: anywhere. */
  readonly allowedCidrs?: readonly Network[];
}

export interface LoadedDirectModel extends LoadedModelBase {
  readonly kind: 'direct';
  readonly provider: string;
  readonly upstreamModel: string;
  readonly providerKey: LoadedProviderKey;
  readonly retries?: number;
  readonly cooldown?: LoadedCooldown;
  readonly backgroundCheck?: LoadedBackgroundCheck;
  /** Input and output together, USD per 1,000 tokens each. Absent: not known. */
  readonly price?: number;
}

export type Strategy =
  | 'failover'
  | 'round_robin'
  | 'consistent_hash'
  | 'least_cost'
  | 'least_latency'
  | 'least_busy';

export interface LoadedTarget {
  /** The name of a direct model. */
  readonly model: string;
  /** At least 1. */
  readonly weight: number;
  readonly priority: number;
  readonly tags: readonly string[];
}

export interface LoadedHashSource {
  readonly type: 'header' | 'cookie' | 'api_key' | 'client_ip';
  /** Of the header, in lower case, or of the cookie. */
  readonly name?: string;
}

export interface LoadedRoutingModel extends LoadedModelBase {
  readonly kind: 'routing';
  readonly strategy: Strategy;
  readonly targets: readonly LoadedTarget[];
  /** Absent: not said here. */
  readonly retries?: number;
  /** Absent: all the other targets. */
  readonly maxFallbacks?: number;
  readonly retryOn429: boolean;
  readonly fallbackOnStatuses: readonly number[];
  readonly whenAllUnavailable: 'fail' | 'try_anyway';
  readonly hashOn: readonly LoadedHashSource[];
}

export type LoadedModel = LoadedDirectModel | LoadedRoutingModel;

/** Who may call, known by the hash of a key. */
export interface LoadedCaller {
  readonly id: string;
  /** SHA-256 of the key, in lower-case hexadecimal digits. */
  readonly keyHash: string;
  /** Names, each with at most one `*`. Empty: nothing is allowed. */
  readonly allowedModels: readonly string[];
  /** Milliseconds since the epoch; a request after it is refused. `undefined`: none is. */
  readonly expiresAtMs: number | undefined;
  readonly disabled: boolean;
  readonly limits: LoadedUsageLimits;
  /** `display_name`, `team_id`, `user_id` and `user_name`, those that were written. */
  readonly labels: JsonRecord;
}

/** A checked `modelRouter` configuration: every default filled in, every name resolved, frozen throughout. */
export interface LoadedModelRouter {
  readonly models: readonly LoadedModel[];
  /** Absent: callers are the host application's business. */
  readonly callers?: readonly LoadedCaller[];
}
