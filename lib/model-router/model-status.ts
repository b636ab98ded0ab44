import type { LoadedModel } from '../config/loaded-model-router.ts';
import { runtimeState } from '../health/runtime-state.ts';
import type { ModelStatusRow } from './admin/model-status-row.ts';
import type { RouterTable } from './router-table.ts';
import type { Target } from './target.ts';

function isoTime(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString();
}

/** What the check found last does not speak of a state that comes from before it, or that it is too old for. */
function checkReason(status: ModelStatusRow['status'], check: Target['check']): string | undefined {
  if (status === 'unhealthy') return 'background_check_failed';
  return check?.reason === 'background_check_failed' ? undefined : check?.reason;
}

function stateOf({ instance: { cooldown }, check }: Target, nowMs: number): Partial<ModelStatusRow> {
  const status = runtimeState({ cooldown, check }, nowMs);
  const isCooling = status === 'cooldown';
  const until = isCooling ? isoTime(cooldown?.untilMs) : undefined;
  const checkedAt = isoTime(check?.lastCheckedAtMs);
  const reason = isCooling ? cooldown?.reason : checkReason(status, check);
  return {
    status,
    ...(until !== undefined && { cooldown_until: until }),
    ...(checkedAt !== undefined && { last_checked_at: checkedAt }),
    ...(check?.lastStatus !== undefined && { last_check_status: check.lastStatus }),
    ...(reason !== undefined && { status_reason: reason }),
  };
}

function rowOf({ id, name, kind }: LoadedModel, target: Target | undefined, nowMs: number): ModelStatusRow {
  const row = { id, display_name: name, kind, status: 'not_applicable' } as const;
  return target === undefined ? row : { ...row, ...stateOf(target, nowMs) };
}

/** What is known of every model now, in the order of the configuration. */
export function modelStatus({ loaded, targets }: RouterTable): readonly ModelStatusRow[] {
  const nowMs = Date.now();
  return loaded.map((model) => rowOf(model, targets.get(model.name), nowMs));
}
