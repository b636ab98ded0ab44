export { aiProxy } from './ai-proxy.ts';
export { aiProxyMulti, type GatewayMiddleware } from './ai-proxy-multi.ts';
export { aiRateLimiting, type RateLimitingMiddleware } from './ai-rate-limiting/ai-rate-limiting.ts';
export { type ApisixRouter, apisixRouter } from './apisix-router/apisix-router.ts';
export { ConfigError, type ConfigFault } from './config/config-error.ts';
export type { AiProxyConfig } from './config/generated/ai-proxy.ts';
export type { AiProxyMultiConfig, InstanceConfig } from './config/generated/ai-proxy-multi.ts';
export type { EarlyAiProxyMultiConfig } from './config/generated/ai-proxy-multi-early.ts';
export type { AiProxyUpstreamConfig } from './config/generated/ai-proxy-upstream.ts';
export type { AiRateLimitingConfig } from './config/generated/ai-rate-limiting.ts';
export type { ApisixRouteConfig } from './config/generated/apisix-route.ts';
export type { ApisixRouterConfig } from './config/generated/apisix-router.ts';
export type { ApisixUpstreamConfig } from './config/generated/apisix-upstream.ts';
export type { CallerKeyConfig } from './config/generated/caller-key.ts';
export type { ConsumerConfig, CredentialConfig } from './config/generated/consumer.ts';
export type { KeyAuthConfig } from './config/generated/key-auth.ts';
export type { ModelConfig } from './config/generated/model.ts';
export type { ModelRouterConfig } from './config/generated/model-router.ts';
export type { ProviderKeyConfig } from './config/generated/provider-key.ts';
export type { AiProxyMultiInput } from './config/multi-input.ts';
export type {
  AttemptRecord,
  FinishRecord,
  FinishSummary,
  HealthChange,
  Host,
  Logger,
  SkippedInstance,
  TriedAttempt,
} from './host.ts';
export {
  type KeyAuthConsumers,
  type KeyAuthMiddleware,
  type KeyAuthOptions,
  keyAuth,
} from './key-auth/key-auth.ts';
export { type Morgan, registerMorganTokens } from './log/morgan-tokens.ts';
export { llmVariables } from './log/variables.ts';
export type { AdminOptions } from './model-router/admin/admin-options.ts';
export { fileStore } from './model-router/admin/file-store.ts';
export type { AdminRouter } from './model-router/admin/make-admin-router.ts';
export type { ModelRouterStore } from './model-router/admin/model-router-store.ts';
export type { ModelStatusRow } from './model-router/admin/model-status-row.ts';
export type { Resource, WrittenModelRouter } from './model-router/admin/registry.ts';
export { type ModelRouter, type ModelRouterStatus, modelRouter } from './model-router/model-router.ts';
export type { ModelRouterHost } from './model-router/router-host.ts';
export type { PrometheusClient, PrometheusRegistry } from './prometheus/prometheus-client.ts';
export {
  type PrometheusHooks,
  type PrometheusOptions,
  prometheusMetrics,
} from './prometheus/prometheus-metrics.ts';
export type {
  AddressHealth,
  CooldownStatus,
  FallbackStatus,
  GatewayStatus,
  HealthState,
  InstanceHealth,
  InstanceStatus,
  LastError,
  MinuteStatus,
  Percentiles,
  QuotaStatus,
} from './status.ts';
export type { StatusPageOptions } from './status-page/read-arguments.ts';
export type { NamedStatus, StatusDocument, StatusSource } from './status-page/status-document.ts';
export { type StatusPage, statusPage } from './status-page/status-page.ts';
