import { createRequire } from 'node:module';
import type { ConfigFault } from './config-error.ts';
import { formatPath } from './json-path.ts';
import type { Placed } from './placed.ts';

const POLICIES: ReadonlySet<unknown> = new Set(['redis', 'redis-cluster', 'redis-sentinel']);

function isInstalled(): boolean {
  try {
    // Not at the head of the file: some bundlers leave no import.meta.url, which need trouble nobody else.
    createRequire(import.meta.url).resolve('ioredis');
    return true;
  } catch {
    // Whatever keeps it from being found, the answer for the user is the same.
    return false;
  }
}

/** The fault of a policy for which the package ioredis is missing: it is only installed by those who need it. */
export function ioredisFaults({ path, object: { policy } }: Placed): readonly ConfigFault[] {
  if (!POLICIES.has(policy) || isInstalled()) return [];
  const message = `is ${JSON.stringify(policy)}, which needs the package ioredis: npm install ioredis`;
  return [{ path: formatPath([...path, 'policy']), message }];
}
