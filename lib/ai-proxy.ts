import { type GatewayMiddleware, makeMiddleware } from './ai-proxy-multi.ts';
import type { AiProxyConfig } from './config/generated/ai-proxy.ts';
import { loadSingleConfig } from './config/load-config.ts';
import type { Host } from './host.ts';

/**
 * The same gateway with a single instance, which is called `ai-proxy-{provider}`.
 *
 * @param config what Apache APISIX takes under `plugins["ai-proxy"]`; plain JSON, never changed
 * @param host what JSON cannot hold: logger, hooks, secrets
 * @throws ConfigError naming every fault at once
 *
 * @example
 * ```ts
 * app.use('/ai', aiProxy({
 *   provider: 'openai',
 *   auth: { header: { Authorization: 'Bearer $env://OPENAI_API_KEY' } },
 * }));
 * ```
 */
export function aiProxy(config: AiProxyConfig, host: Host = {}): GatewayMiddleware<AiProxyConfig> {
  return makeMiddleware(config, host, (input, { logger, secret }) =>
    loadSingleConfig(input, logger, { hasSecretResolver: secret !== undefined }),
  );
}
