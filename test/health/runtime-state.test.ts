import { describe, expect, it } from 'vitest';
import { makeBackgroundResult } from '../../lib/health/background-result.ts';
import { runtimeState, secondsUntilNext, type TargetState } from '../../lib/health/runtime-state.ts';
import { Cooldown } from '../../lib/upstream/cooldown.ts';

const nowMs = Date.UTC(2026, 5, 1, 12, 0, 0);

/** A target that cools, has failed its check, or both. Numbers are milliseconds from now on. */
function target({ coolsForMs, failedUntilMs }: { coolsForMs?: number; failedUntilMs?: number }): TargetState {
  const cooldown = new Cooldown({
    triggerStatuses: [],
    triggerOnTimeout: true,
    triggerOnTransport: true,
    defaultMs: coolsForMs ?? 1,
    maxMs: 1,
    honorRetryAfter: true,
  });
  if (coolsForMs !== undefined) cooldown.note({ kind: 'reset', detail: 'ECONNRESET' }, nowMs);
  const result = makeBackgroundResult({ ignoreStatuses: [], staleAfterMs: 60_000 });
  if (failedUntilMs !== undefined) result.note({ status: 500 }, nowMs);
  const check = { isUnhealthy: result.isUnhealthy, nextCheckAtMs: nowMs + (failedUntilMs ?? 2000) };
  return { cooldown, check };
}

const neither: TargetState = { cooldown: undefined, check: undefined };

describe('the state of a target', () => {
  it.each([
    ['healthy where nothing is watched', neither, 'healthy'],
    ['healthy where nothing speaks against it', target({}), 'healthy'],
    ['unhealthy after a failed check', target({ failedUntilMs: 1000 }), 'unhealthy'],
    ['cooldown while it cools', target({ coolsForMs: 1000 }), 'cooldown'],
    ['cooldown even after a failed check', target({ coolsForMs: 1000, failedUntilMs: 1000 }), 'cooldown'],
  ])('is %s', (_title, state, expected) => {
    expect(runtimeState(state, nowMs)).toBe(expected);
  });

  it('is unhealthy when the cooldown is over and the check still failed', () => {
    expect(runtimeState(target({ coolsForMs: 1000, failedUntilMs: 5000 }), nowMs + 1000)).toBe('unhealthy');
  });
});

describe('the seconds to wait while no target is of use', () => {
  it.each([
    ['until the next probe', [target({ failedUntilMs: 12_000 })], 12],
    ['until a cooldown ends', [target({ coolsForMs: 7000 })], 7],
    ['until the first of several', [target({ failedUntilMs: 25_000 }), target({ failedUntilMs: 9000 })], 9],
    [
      'until the next probe rather than the end of a cooldown',
      [target({ coolsForMs: 3000, failedUntilMs: 8000 })],
      8,
    ],
    ['in whole seconds, not too short', [target({ failedUntilMs: 4001 })], 5],
    ['at least one', [target({ failedUntilMs: 10 })], 1],
    ['one while a probe is under way', [target({ failedUntilMs: -2000 })], 1],
    ['30 at most', [target({ failedUntilMs: 600_000 })], 30],
    ['30 where nothing is known', [neither, target({})], 30],
    ['30 where there is no target', [], 30],
  ])('last %s', (_title, targets, seconds) => {
    expect(secondsUntilNext(targets, nowMs)).toBe(seconds);
  });
});
