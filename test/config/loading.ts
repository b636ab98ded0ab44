import { ConfigError, type ConfigFault } from '../../lib/config/config-error.ts';
import { loadMultiConfig, loadSingleConfig } from '../../lib/config/load-config.ts';
import type { LoadOptions } from '../../lib/config/load-options.ts';
import type { LoadedConfig } from '../../lib/config/loaded-config.ts';
import type { Logger } from '../../lib/host.ts';

/** Any loader. */
export type Load = (input: unknown, logger: Logger, options: LoadOptions) => unknown;

/** A warning as the logger got it. */
export interface Warning {
  readonly path: unknown;
  readonly message: string;
}

/** A logger that keeps its warnings. */
export function recordWarnings(): Logger & { readonly warnings: Warning[] } {
  const warnings: Warning[] = [];
  return {
    warnings,
    debug() {},
    info() {},
    warn: (data, message) => warnings.push({ path: 'path' in data ? data.path : undefined, message }),
    error() {},
  };
}

/** An instance that is valid, with other fields where a test wants them. */
export function instance(fields: Record<string, unknown> = {}): Record<string, unknown> {
  return { name: 'one', provider: 'openai', weight: 1, auth: {}, ...fields };
}

/** A configuration of one valid instance. */
export function configOf(fields: Record<string, unknown> = {}): Record<string, unknown> {
  return { instances: [instance()], ...fields };
}

export function load(config: unknown): LoadedConfig {
  return loadMultiConfig(config, recordWarnings(), { hasSecretResolver: true });
}

export function loadSingle(config: unknown): LoadedConfig {
  return loadSingleConfig(config, recordWarnings(), { hasSecretResolver: true });
}

export function warningsOf(config: unknown, loader: Load = loadMultiConfig): Warning[] {
  const logger = recordWarnings();
  loader(config, logger, { hasSecretResolver: true });
  return logger.warnings;
}

/** The error that a configuration causes; fails when it causes none. */
export function errorOf(
  config: unknown,
  loader: Load = loadMultiConfig,
  hasSecretResolver = true,
): ConfigError {
  try {
    loader(config, recordWarnings(), { hasSecretResolver });
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('The configuration was accepted');
}

export function faultsOf(config: unknown, loader: Load = loadMultiConfig): readonly ConfigFault[] {
  return errorOf(config, loader).errors;
}

export function pathsOf(config: unknown, loader: Load = loadMultiConfig): string[] {
  return faultsOf(config, loader).map(({ path }) => path);
}
