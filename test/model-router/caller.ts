import { createHash } from 'node:crypto';
import type { LoadedCaller } from '../../lib/config/loaded-model-router.ts';

/** The caller whose key this is; its id is `caller-{key}`. */
export function callerOf(key: string, more: Partial<LoadedCaller> = {}): LoadedCaller {
  return {
    id: `caller-${key}`,
    keyHash: createHash('sha256').update(key).digest('hex'),
    allowedModels: [],
    expiresAtMs: undefined,
    disabled: false,
    limits: {},
    labels: {},
    ...more,
  };
}
