import { completeUsageLimits } from './complete-usage-limits.ts';
import type { DefaultedCallerKeyConfig } from './generated/caller-key-defaulted.ts';
import type { JsonRecord } from './loaded-config.ts';
import type { LoadedCaller } from './loaded-model-router.ts';
import { parseTimestamp } from './timestamp.ts';

const LABELS = ['display_name', 'team_id', 'user_id', 'user_name'] as const;

function labelsOf(config: DefaultedCallerKeyConfig): JsonRecord {
  const labels: Record<string, unknown> = {};
  for (const name of LABELS) if (config[name] !== undefined) labels[name] = config[name];
  return labels;
}

/** A validated caller's key as the rest of the package sees it. */
export function completeCaller(config: DefaultedCallerKeyConfig): LoadedCaller {
  const expiresAtMs = parseTimestamp(config.expires_at ?? '');
  return {
    id: String(config.id),
    keyHash: config.key_hash,
    allowedModels: config.allowed_models,
    ...(expiresAtMs !== undefined && { expiresAtMs }),
    disabled: config.disabled,
    limits: completeUsageLimits(config.rate_limit),
    labels: labelsOf(config),
  };
}
