import type { LoadedBackgroundCheck } from '../config/loaded-model-router.ts';

/** What came of a probe: its answer's status, or a code for why there was none, never what the other side said. */
export type ProbeAnswer = { readonly status: number } | { readonly error: string };

/** What the background check of one target has found. Times are milliseconds since the epoch. */
export interface BackgroundResult {
  /** False, too, where nothing is known, or nothing any more. */
  isUnhealthy(nowMs: number): boolean;
  /** `undefined` before the first probe has ended. */
  readonly lastCheckedAtMs: number | undefined;
  /** `undefined` where the last probe was not answered. */
  readonly lastStatus: number | undefined;
  /** `undefined` where it was. */
  readonly lastError: string | undefined;
  /** `undefined` when all is well, as far as is known. */
  readonly reason: 'background_check_failed' | 'ignored_transient_error' | undefined;
  /** A request has been served: whatever the last probe found is out of date. */
  noteSuccess(): void;
}

interface RecordedResult extends BackgroundResult {
  /** Takes in what came of a probe that has just ended. */
  note(answer: ProbeAnswer, nowMs: number): void;
}

type Rules = Pick<LoadedBackgroundCheck, 'ignoreStatuses' | 'staleAfterMs'>;

/** What an answer says of the target; `undefined` where that is nothing. */
function verdictOn(answer: ProbeAnswer, ignored: readonly number[]): 'healthy' | 'unhealthy' | undefined {
  if (!('status' in answer)) return 'unhealthy';
  if (answer.status >= 200 && answer.status < 300) return 'healthy';
  return ignored.includes(answer.status) ? undefined : 'unhealthy';
}

/** Nothing is known at first. A failure grows stale by itself, ignored answers after it or not. */
export function makeBackgroundResult({ ignoreStatuses, staleAfterMs }: Rules): RecordedResult {
  let failedAtMs: number | undefined;
  let lastCheckedAtMs: number | undefined;
  let last: ProbeAnswer | undefined;
  let reason: BackgroundResult['reason'];

  function noteSuccess(): void {
    failedAtMs = undefined;
    reason = undefined;
  }

  return {
    isUnhealthy: (nowMs) => failedAtMs !== undefined && nowMs - failedAtMs <= staleAfterMs,
    get lastCheckedAtMs() {
      return lastCheckedAtMs;
    },
    get lastStatus() {
      return last !== undefined && 'status' in last ? last.status : undefined;
    },
    get lastError() {
      return last !== undefined && 'error' in last ? last.error : undefined;
    },
    get reason() {
      return reason;
    },
    noteSuccess,
    note(answer, nowMs) {
      last = answer;
      lastCheckedAtMs = nowMs;
      switch (verdictOn(answer, ignoreStatuses)) {
        case 'healthy':
          noteSuccess();
          break;
        case 'unhealthy':
          failedAtMs = nowMs;
          reason = 'background_check_failed';
          break;
        case undefined:
          reason = 'ignored_transient_error';
      }
    },
  };
}
