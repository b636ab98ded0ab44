import type { Logger } from '../host.ts';
import { requireAnonymousConsumer } from './anonymous-consumer.ts';
import { ConfigError } from './config-error.ts';
import { loadConsumers } from './load-consumers.ts';
import { loadKeyAuth } from './load-key-auth.ts';
import type { LoadOptions } from './load-options.ts';
import type { LoadedConsumer, LoadedKeyAuth } from './loaded-key-auth.ts';
import { makePartLoader } from './part-loader.ts';

/** Where keys are looked for, and whose keys they may be. */
export interface LoadedGate {
  readonly keyAuth: LoadedKeyAuth;
  readonly consumers: readonly LoadedConsumer[];
}

/**
 * Checks what somebody wrote for `key-auth` together with its consumers, without changing either.
 *
 * @throws {ConfigError} with everything that is wrong in both; no key is shown
 */
export function loadGate(
  config: unknown,
  consumerList: unknown,
  logger: Logger,
  options: LoadOptions,
): LoadedGate {
  const parts = makePartLoader(logger);
  const keyAuth = parts.load([], (below) => loadKeyAuth(config, below));
  const consumers = parts.load([], (below) => loadConsumers(consumerList, below, options));
  if (keyAuth === undefined || consumers === undefined) throw new ConfigError(parts.faults);
  requireAnonymousConsumer(keyAuth, consumers);
  return Object.freeze({ keyAuth, consumers });
}
