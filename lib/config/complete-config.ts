import { bareRecord } from './bare-record.ts';
import { completeCooldown } from './complete-cooldown.ts';
import { completePrice } from './complete-price.ts';
import type { DefaultedAiProxyConfig } from './generated/ai-proxy-defaulted.ts';
import type {
  DefaultedAiProxyMultiConfig,
  DefaultedFallbackStrategy,
  DefaultedInstanceConfig,
} from './generated/ai-proxy-multi-defaulted.ts';
import type {
  LoadedAuth,
  LoadedBalancer,
  LoadedConfig,
  LoadedFallback,
  LoadedInstance,
} from './loaded-config.ts';

type Instance = DefaultedInstanceConfig;

/** The fields of ai-proxy-multi that make a difference. */
type MultiConfig = Omit<DefaultedAiProxyMultiConfig, 'streaming_flush_interval_ms' | 'semantic_opts'>;

/** The fields that ai-proxy and ai-proxy-multi share. */
type Gateway = Omit<LoadedConfig, 'instances' | 'balancer' | 'fallback' | 'passthrough'>;

function completeAuth({ header, query }: Instance['auth']): LoadedAuth {
  return { header: bareRecord(header), query: bareRecord(query) };
}

function completeInstance(instance: Instance): LoadedInstance {
  const { name, provider, priority, weight, checks, override } = instance;
  const cooldown = instance.cooldown && completeCooldown(instance.cooldown);
  const maxTokens = override?.llm_options?.max_tokens;
  return {
    name,
    provider,
    priority,
    weight,
    auth: completeAuth(instance.auth),
    options: { ...instance.options },
    ...(override?.endpoint !== undefined && { endpoint: new URL(override.endpoint).href }),
    ...(maxTokens !== undefined && { maxTokens }),
    requestBody: { ...override?.request_body },
    forceRequestBody: override?.request_body_force_override ?? false,
    ...(checks && { checks: { active: { ...checks.active, req_headers: checks.active.req_headers ?? [] } } }),
    ...(cooldown && { cooldown }),
    ...(instance.cost && { price: completePrice(instance.cost) }),
  };
}

function completeBalancer({
  algorithm,
  hash_on,
  key,
}: DefaultedAiProxyMultiConfig['balancer']): LoadedBalancer {
  return { algorithm, hash_on, ...(key !== undefined && { key }) };
}

/** A string is one condition, an array several; both spellings of the quota's condition mean the same. */
function completeFallback(
  strategy: DefaultedFallbackStrategy = [],
  statuses: readonly number[] = [],
): LoadedFallback {
  const conditions = new Set<string>(typeof strategy === 'string' ? [strategy] : strategy);
  return {
    on429: conditions.has('http_429'),
    on5xx: conditions.has('http_5xx'),
    onRateLimit: conditions.has('rate_limiting') || conditions.has('instance_health_and_rate_limiting'),
    statuses,
  };
}

function completeGateway(config: Gateway): Gateway {
  const { max_stream_duration_ms, max_response_bytes } = config;
  return {
    timeout: config.timeout,
    max_req_body_size: config.max_req_body_size,
    ...(max_stream_duration_ms !== undefined && { max_stream_duration_ms }),
    ...(max_response_bytes !== undefined && { max_response_bytes }),
    keepalive: config.keepalive,
    keepalive_timeout: config.keepalive_timeout,
    keepalive_pool: config.keepalive_pool,
    ssl_verify: config.ssl_verify,
    logging: { summaries: config.logging.summaries, payloads: config.logging.payloads },
  };
}

/** A validated ai-proxy-multi configuration as the rest of the package sees it. */
export function completeMulti(config: MultiConfig, passthrough: boolean): LoadedConfig {
  const { max_retries, retry_on_failure_within_ms } = config;
  return {
    instances: config.instances.map(completeInstance),
    balancer: completeBalancer(config.balancer),
    fallback: completeFallback(config.fallback_strategy, config.fallback_http_statuses),
    ...(max_retries !== undefined && { max_retries }),
    ...(retry_on_failure_within_ms !== undefined && { retry_on_failure_within_ms }),
    ...completeGateway(config),
    passthrough,
  };
}

/** The same for ai-proxy, whose instance is the configuration itself and has nowhere to fall back to. */
export function completeSingle(config: DefaultedAiProxyConfig): LoadedConfig {
  const { provider, auth, options = {}, override } = config;
  const instance = { name: `ai-proxy-${provider}`, provider, weight: 1, priority: 0, auth, options };
  return {
    instances: [completeInstance(override === undefined ? instance : { ...instance, override })],
    balancer: { algorithm: 'roundrobin', hash_on: 'vars' },
    fallback: completeFallback(),
    ...completeGateway(config),
    passthrough: false,
  };
}
