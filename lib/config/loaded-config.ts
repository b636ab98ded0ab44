import type { InstanceConfig, RequestBodyOverride } from './generated/ai-proxy-multi.ts';
import type { LoadedCooldown } from './loaded-cooldown.ts';

/** The providers that the schema knows. */
export type ProviderName = InstanceConfig['provider'];

/** The protocols that `override.request_body` may name. */
export type OverrideProtocol = keyof RequestBodyOverride;

/** A JSON object whose fields are not known beforehand. */
export type JsonRecord = Readonly<Record<string, unknown>>;

/**
 * What is sent along with every request to one LLM. Both records lack a prototype.
 * `$env://` references are resolved; `$secret://` ones are still in the text, for `SecretStore.fill`.
 */
export interface LoadedAuth {
  readonly header: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
}

/** `checks.active`, in APISIX's names and units. */
export interface LoadedActiveChecks {
  readonly type: 'http' | 'https' | 'tcp';
  /** Seconds. */
  readonly timeout: number;
  /** Probes under way at the same time. */
  readonly concurrency: number;
  /** Unset: the host of the instance. */
  readonly host?: string;
  /** Unset: the port of the instance. */
  readonly port?: number;
  readonly http_method: string;
  readonly http_path: string;
  readonly http_req_body: string;
  readonly https_verify_certificate: boolean;
  /** Further header lines, `name: value` each. */
  readonly req_headers: readonly string[];
  readonly healthy: {
    /** Seconds between two probes of a healthy instance. */
    readonly interval: number;
    readonly http_statuses: readonly number[];
    readonly successes: number;
  };
  readonly unhealthy: {
    /** Seconds between two probes of an unhealthy instance. */
    readonly interval: number;
    readonly http_statuses: readonly number[];
    readonly http_failures: number;
    readonly tcp_failures: number;
    readonly timeouts: number;
  };
}

/** One entry of `instances`, its defaults filled in. */
export interface LoadedInstance {
  /** Unique among the instances. */
  readonly name: string;
  readonly provider: ProviderName;
  readonly priority: number;
  readonly weight: number;
  readonly auth: LoadedAuth;
  /** Written over the client's body; `model` is one of them. */
  readonly options: JsonRecord;
  /** `override.endpoint`: an http or https URL in the form `URL.href` gives it, without user and fragment. */
  readonly endpoint?: string;
  /** `override.llm_options.max_tokens`. */
  readonly maxTokens?: number;
  /** `override.request_body`: what is merged into the body, by the protocol it goes out in. */
  readonly requestBody: Readonly<Partial<Record<OverrideProtocol, JsonRecord>>>;
  /** `override.request_body_force_override`. */
  readonly forceRequestBody: boolean;
  readonly checks?: { readonly active: LoadedActiveChecks };
  /** Unset: a failure is followed by none. */
  readonly cooldown?: LoadedCooldown;
  /** Input and output together, USD per 1,000 tokens each. Unset: not known. */
  readonly price?: number;
}

/** How one of several instances is picked. */
export interface LoadedBalancer {
  readonly algorithm: 'roundrobin' | 'chash' | 'least_busy' | 'least_latency' | 'least_cost';
  readonly hash_on: 'vars' | 'header' | 'cookie' | 'consumer' | 'vars_combinations';
  /** Present whenever `algorithm` is `chash` and `hash_on` is not `consumer`. */
  readonly key?: string;
}

/** Which failures move a request on: `fallback_strategy` and `fallback_http_statuses` in one. */
export interface LoadedFallback {
  readonly on429: boolean;
  readonly on5xx: boolean;
  /** Instances out of quota are passed over. */
  readonly onRateLimit: boolean;
  readonly statuses: readonly number[];
}

/** A checked configuration: every default filled in, frozen throughout, the same for every form it came in. */
export interface LoadedConfig {
  readonly instances: readonly LoadedInstance[];
  readonly balancer: LoadedBalancer;
  readonly fallback: LoadedFallback;
  /** Unset: every instance may be tried. */
  readonly max_retries?: number;
  /** Unset: a failure moves on however long it took. */
  readonly retry_on_failure_within_ms?: number;
  /** Milliseconds: for connecting, and for each silence. */
  readonly timeout: number;
  /** Bytes. */
  readonly max_req_body_size: number;
  /** Unset: no cap. */
  readonly max_stream_duration_ms?: number;
  /** Unset: no cap. */
  readonly max_response_bytes?: number;
  readonly keepalive: boolean;
  /** Milliseconds. */
  readonly keepalive_timeout: number;
  /** Idle sockets per instance. */
  readonly keepalive_pool: number;
  readonly ssl_verify: boolean;
  readonly logging: { readonly summaries: boolean; readonly payloads: boolean };
  /** The early form's: the LLM's JSON goes to the next middleware as `req.body`. */
  readonly passthrough: boolean;
}
