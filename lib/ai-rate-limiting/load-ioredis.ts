import { createRequire } from 'node:module';
import { ConfigError } from '../config/config-error.ts';

export type Ioredis = Pick<typeof import('ioredis'), 'Redis' | 'Cluster'>;

function isInstalled(require: NodeJS.Require): boolean {
  try {
    require.resolve('ioredis');
    return true;
  } catch {
    // Whatever keeps it from being found, the answer for the user is the same.
    return false;
  }
}

/**
 * The package ioredis, loaded only where a policy needs it: most gateways keep their counters in memory.
 *
 * @throws {ConfigError} where the package is not installed
 */
export function loadIoredis(policy: string): Ioredis {
  // Not at the head of the file: some bundlers leave no import.meta.url, which need trouble nobody else.
  const require = createRequire(import.meta.url);
  if (isInstalled(require)) return require('ioredis');
  const message = `is ${JSON.stringify(policy)}, which needs the package ioredis: npm install ioredis`;
  throw new ConfigError([{ path: 'policy', message }]);
}
