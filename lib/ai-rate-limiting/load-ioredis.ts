import { createRequire } from 'node:module';

export type Ioredis = Pick<typeof import('ioredis'), 'Redis' | 'Cluster'>;

/**
 * The package ioredis, loaded only where a policy needs it: most gateways keep their counters in memory. That it is
 * installed has been checked with the configuration.
 */
export function loadIoredis(): Ioredis {
  // Not at the head of the file: some bundlers leave no import.meta.url, which need trouble nobody else.
  return createRequire(import.meta.url)('ioredis');
}
