export { aiProxy } from './ai-proxy.ts';
export { aiProxyMulti, type GatewayMiddleware } from './ai-proxy-multi.ts';
export { ConfigError, type ConfigFault } from './config/config-error.ts';
export type { AiProxyConfig } from './config/generated/ai-proxy.ts';
export type { AiProxyMultiConfig, InstanceConfig } from './config/generated/ai-proxy-multi.ts';
export type { EarlyAiProxyMultiConfig } from './config/generated/ai-proxy-multi-early.ts';
export type { AiProxyMultiInput } from './config/multi-input.ts';
export type {
  AttemptRecord,
  FinishRecord,
  Host,
  Logger,
  SkippedInstance,
  TriedAttempt,
} from './host.ts';
export { type Morgan, registerMorganTokens } from './log/morgan-tokens.ts';
export { llmVariables } from './log/variables.ts';
export type { GatewayStatus, InstanceStatus } from './status.ts';
