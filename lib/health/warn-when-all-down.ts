import type { Logger } from '../host.ts';
import type { InstanceHealthSource } from './instance-health-source.ts';

/**
 * Says, once each time it happens, that every instance is unhealthy.
 *
 * @param instances those that requests can go to
 * @returns what ends the watch
 */
export function warnWhenAllDown(
  instances: readonly { readonly health: InstanceHealthSource | undefined }[],
  logger: Logger,
): () => void {
  const sources = instances.flatMap(({ health }) => health ?? []);
  // An instance without checks is never unhealthy.
  if (sources.length === 0 || sources.length < instances.length) return () => {};

  // They cannot all go down again before one of them has come back.
  function look(): void {
    if (!sources.every(({ isOut }) => isOut)) return;
    logger.warn(
      { instances: sources.length },
      'all instances are unhealthy; requests are tried all the same',
    );
  }

  look();
  const stops = sources.map(({ onChange }) => onChange(look));
  return () => {
    for (const stop of stops) stop();
  };
}
