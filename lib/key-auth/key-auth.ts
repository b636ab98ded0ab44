import { makeLimiter } from '../ai-rate-limiting/limiter.ts';
import { openLocalPools } from '../ai-rate-limiting/local-pools.ts';
import { requireAnonymousConsumer } from '../config/anonymous-consumer.ts';
import type { ConsumerConfig } from '../config/generated/consumer.ts';
import type { KeyAuthConfig } from '../config/generated/key-auth.ts';
import { type LoadedGate, loadGate } from '../config/load-gate.ts';
import { loadKeyAuth } from '../config/load-key-auth.ts';
import type { Host } from '../host.ts';
import { replaceable } from '../replaceable.ts';
import { resolveHost } from '../resolve-host.ts';
import { type ConsumerRegistry, registerConsumers } from './consumer-registry.ts';
import { type KeyAuthHandler, makeKeyAuth } from './make-key-auth.ts';

/** Who may call. */
export interface KeyAuthConsumers {
  /** What Apache APISIX takes as consumers, their credentials put into them as `credentials`; plain JSON. */
  consumers: readonly ConsumerConfig[];
}

export interface KeyAuthOptions extends Host, KeyAuthConsumers {}

/** An Express/Connect middleware that also works in front of a bare `http` request listener. */
export interface KeyAuthMiddleware extends KeyAuthHandler {
  /**
   * Replaces the configuration, and the consumers where there are new ones, at once. Who is there before and after
   * with the same limits keeps the counters.
   *
   * @throws ConfigError on an invalid configuration, and changes nothing
   */
  update(config: KeyAuthConfig, replacement?: KeyAuthConsumers): void;
  /** Resolves when every request limited by a consumer's own limits has been charged. */
  close(): Promise<void>;
}

/**
 * Makes a middleware that turns away whoever shows no consumer's key, with 401, and sets `res.locals.consumer` to
 * `{ username }` for the others. A consumer's own limits replace those of `aiRateLimiting`. The key never reaches an
 * LLM; with `hide_credentials` nothing behind this middleware sees it.
 *
 * @param config what Apache APISIX takes under `plugins["key-auth"]` of a route; plain JSON, never changed
 * @throws ConfigError naming every fault at once
 *
 * @example
 * ```ts
 * const consumers = [{ username: 'jane', plugins: { 'key-auth': { key: '$env://JANES_KEY' } } }];
 * app.use('/ai', keyAuth({}, { consumers }), aiProxyMulti({ instances }));
 * ```
 */
export function keyAuth(config: KeyAuthConfig, { consumers, ...host }: KeyAuthOptions): KeyAuthMiddleware {
  const resolved = resolveHost(host);
  const { logger } = resolved;
  const load = (input: unknown, list: unknown): LoadedGate =>
    loadGate(input, list, logger, { hasSecretResolver: resolved.secret !== undefined });
  const localPools = openLocalPools();
  const register = (gate: LoadedGate): ConsumerRegistry =>
    registerConsumers(
      gate.consumers,
      (limits, scope) => makeLimiter(limits, scope, resolved, localPools),
      resolved,
    );

  let gate = load(config, consumers);
  const registries = replaceable(register(gate));
  let handle = makeKeyAuth(gate.keyAuth, registries.current);

  function replaceConfig(input: unknown): void {
    const loaded = loadKeyAuth(input, logger);
    requireAnonymousConsumer(loaded, gate.consumers);
    gate = { ...gate, keyAuth: loaded };
    handle = makeKeyAuth(loaded, registries.current);
  }

  function replaceAll(input: unknown, list: unknown): void {
    const loaded = load(input, list);
    registries.replace(register(loaded));
    gate = loaded;
    handle = makeKeyAuth(loaded.keyAuth, registries.current);
  }

  const handler: KeyAuthHandler = (req, res, next) => handle(req, res, next);
  return Object.assign(handler, {
    update(input: KeyAuthConfig, replacement?: KeyAuthConsumers) {
      if (replacement === undefined) replaceConfig(input);
      else replaceAll(input, replacement.consumers);
    },
    close: () => registries.close(),
  });
}
