import type { Logger } from '../host.ts';
import { ConfigError, type ConfigFault } from './config-error.ts';
import { copyJson } from './copy-json.ts';
import { schemaFaults } from './schema-faults.ts';
import type { ConfigForm } from './schemas.ts';
import { warnOfTypos } from './typo-warnings.ts';

/**
 * A copy that a loader may change.
 *
 * @throws {ConfigError} at once if there is none, since nothing else is worth saying then
 */
export function takeCopy(input: unknown): unknown {
  const { value, faults } = copyJson(input);
  if (faults.length > 0) throw new ConfigError(faults);
  return value;
}

/**
 * The configuration, with its defaults filled in, if neither its schema nor `moreFaults` has anything against it.
 * Warns of what looks like a slip, or of what `warn` finds.
 *
 * @throws {ConfigError} with the faults of both
 */
export function checkConfig<Config>(
  config: unknown,
  { schema, validate }: ConfigForm<Config>,
  moreFaults: readonly ConfigFault[],
  logger: Logger,
  warn: typeof warnOfTypos = warnOfTypos,
): Config {
  if (validate(config) && moreFaults.length === 0) {
    warn(config, schema, logger);
    return config;
  }
  throw new ConfigError([...schemaFaults(validate.errors ?? [], config, schema), ...moreFaults]);
}
