import { completeUsageLimits } from './complete-usage-limits.ts';
import type { DefaultedCallerKeyConfig } from './generated/caller-key-defaulted.ts';
import type { JsonRecord } from './loaded-config.ts';
import type { LoadedCaller } from './loaded-model-router.ts';
import { parseTimestamp } from './timestamp.ts';

const LABELS = ['display_name', 'team_id', 'user_id', 'user_name'] as const;

const NO_LABELS: JsonRecord = Object.freeze({});

function labelsOf(config: DefaultedCallerKeyConfig): JsonRecord {
  let labels: Record<string, unknown> | undefined;
  for (const name of LABELS) {
    if (config[name] === undefined) continue;
    labels ??= {};
    labels[name] = config[name];
  }
  return labels ?? NO_LABELS;
}

/** A validated caller's key as the rest of the package sees it. */
export function completeCaller(config: DefaultedCallerKeyConfig): LoadedCaller {
  const expiresAtMs = config.expires_at === undefined ? undefined : parseTimestamp(config.expires_at);
  return {
    id: String(config.id),
    keyHash: config.key_hash,
    allowedModels: config.allowed_models,
    expiresAtMs,
    disabled: config.disabled,
    limits: completeUsageLimits(config.rate_limit),
    labels: labelsOf(config),
  };
}
