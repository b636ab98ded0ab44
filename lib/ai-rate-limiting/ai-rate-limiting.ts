import type { IncomingMessage, ServerResponse } from 'node:http';
import { addLimiter } from '../admission.ts';
import type { AiRateLimitingConfig } from '../config/generated/ai-rate-limiting.ts';
import { loadRateLimiting } from '../config/load-rate-limiting.ts';
import type { Host } from '../host.ts';
import { replaceable } from '../replaceable.ts';
import { resolveHost } from '../resolve-host.ts';
import { makeLimiter, type OwnedLimiter } from './limiter.ts';
import { openLocalPools } from './local-pools.ts';
import { warnOfIdleLimiter } from './warn-of-idle-limiter.ts';

/** An Express/Connect middleware that also works in front of a bare `http` request listener. */
export interface RateLimitingMiddleware {
  (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void): void;
  /**
   * Replaces the configuration at once. Requests under way are still counted by the old one.
   *
   * @throws ConfigError on an invalid configuration, and changes nothing
   */
  update(config: AiRateLimitingConfig): void;
  /**
   * Resolves when every request under way has been charged and connections to Redis are closed: not before requests
   * that have come through have ended, where the counters are in Redis.
   */
  close(): Promise<void>;
}

/**
 * Makes a middleware that limits the tokens of the LLM requests behind it. Mount it before `aiProxyMulti` or `aiProxy`,
 * which looks at the quota when it picks an instance, and charges it when the answer has ended.
 *
 * @param config what Apache APISIX takes under `plugins["ai-rate-limiting"]`, plus `redis_key_prefix`
 * @throws ConfigError naming every fault at once; one is a `policy` that needs ioredis where that is not installed
 *
 * @example
 * ```ts
 * app.use('/ai',
 *   aiRateLimiting({ instances: [{ name: 'openai', limit: 100_000, time_window: 60 }] }),
 *   aiProxyMulti({ fallback_strategy: ['rate_limiting'], instances }));
 * ```
 */
export function aiRateLimiting(config: AiRateLimitingConfig, host: Host = {}): RateLimitingMiddleware {
  const resolved = resolveHost(host);
  const { logger } = resolved;
  const localPools = openLocalPools();
  const make = (input: unknown): OwnedLimiter =>
    makeLimiter(
      loadRateLimiting(input, logger, { hasSecretResolver: resolved.secret !== undefined }),
      '',
      resolved,
      localPools,
    );
  const limiters = replaceable(make(config));
  const watch = warnOfIdleLimiter(logger);
  return Object.assign(
    (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => {
      const limiter = limiters.current;
      addLimiter(req, limiter);
      limiter.hold(req, res);
      watch(req, res, limiter);
      next();
    },
    {
      update(replacement: AiRateLimitingConfig) {
        limiters.replace(make(replacement));
      },
      close: () => limiters.close(),
    },
  );
}
