import type { Logger } from '../host.ts';
import type { DefaultedUsageLimits } from './generated/model-defaulted.ts';
import { formatPath, type JsonPath } from './json-path.ts';

/** Somebody may have meant that nothing is let through. */
export function warnOfZeroLimits(
  limits: DefaultedUsageLimits | undefined,
  path: JsonPath,
  logger: Logger,
): void {
  for (const [name, limit] of Object.entries(limits ?? {})) {
    if (limit === 0)
      logger.warn({ path: formatPath([...path, 'rate_limit', name]) }, 'is 0, which limits nothing');
  }
}
