import type { HealthChange } from '../host.ts';
import type { ResolvedHost } from '../resolve-host.ts';
import type { HealthState } from '../status.ts';

type Announced = Pick<ResolvedHost, 'logger' | 'onHealth'>;

/** Says once, to whoever listens, that the health of an instance has changed. */
export function announceHealth(change: HealthChange, { logger, onHealth }: Announced): void {
  const { state, ...data } = change;
  if (state === 'unhealthy') logger.warn(data, 'an instance is unhealthy');
  else if (state === 'healthy') logger.info(data, 'an instance is healthy');
  else logger.info(data, 'nothing is known any more of the health of an instance');
  onHealth?.(change);
}

/** Says that one of several addresses has gone or come back, which leaves the instance as it was. */
export function announceAddress(
  { state, ...data }: HealthChange,
  before: HealthState,
  { logger }: Announced,
): void {
  if (state === 'unhealthy') logger.warn(data, 'an address of an instance is unhealthy; its others serve');
  else if (before === 'unhealthy') logger.info(data, 'an address of an instance is healthy again');
}
