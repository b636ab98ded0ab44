import type { Logger } from '../host.ts';
import { checkConfig, takeCopy } from './check-config.ts';
import { compileCost } from './compile-cost.ts';
import { completeRateLimiting } from './complete-rate-limiting.ts';
import { fillReferences } from './fill-references.ts';
import { freezeDeeply } from './freeze.ts';
import { ioredisFaults } from './ioredis-faults.ts';
import { isJsonObject } from './json.ts';
import type { LoadOptions } from './load-options.ts';
import type { LoadedRateLimiting } from './loaded-rate-limiting.ts';
import { rateLimitingFaults } from './rate-limiting-faults.ts';
import { warnOfRateLimiting } from './rate-limiting-warnings.ts';
import { forms } from './schemas.ts';

/**
 * Checks what somebody wrote for `ai-rate-limiting`, without changing it. Warns of what is valid and looks like a
 * slip.
 *
 * @throws {ConfigError} with everything that is wrong; no password is shown
 */
export function loadRateLimiting(input: unknown, logger: Logger, options: LoadOptions): LoadedRateLimiting {
  const config = takeCopy(input);
  const whole = { path: [], object: isJsonObject(config) ? config : {} };
  const cost = compileCost(whole.object);
  const faults = [
    ...rateLimitingFaults(whole),
    ...ioredisFaults(whole),
    ...cost.faults,
    ...fillReferences(whole, 'redis_password', options),
    ...fillReferences(whole, 'sentinel_password', options),
  ];
  const checked = checkConfig(config, forms.rateLimiting(), faults, logger);
  warnOfRateLimiting(checked, logger);
  return freezeDeeply(completeRateLimiting(checked, cost.compute));
}
