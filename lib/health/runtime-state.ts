import type { Cooldown } from '../upstream/cooldown.ts';
import type { BackgroundCheck } from './background-checks.ts';

/** `healthy`: nothing speaks against it, whether anything is known or not. */
export type RuntimeState = 'healthy' | 'unhealthy' | 'cooldown';

/** What is known of one target. `undefined` where it has no such thing. */
export interface TargetState {
  readonly cooldown: Pick<Cooldown, 'isCooling' | 'untilMs'> | undefined;
  readonly check: Pick<BackgroundCheck, 'isUnhealthy' | 'nextCheckAtMs'> | undefined;
}

const LONGEST_SECONDS = 30;

/** A cooldown hides what the background check has found. @param nowMs since the epoch */
export function runtimeState({ cooldown, check }: TargetState, nowMs: number): RuntimeState {
  if (cooldown?.isCooling(nowMs)) return 'cooldown';
  return check?.isUnhealthy(nowMs) ? 'unhealthy' : 'healthy';
}

/** When a target may be of use again. One that is unhealthy is not, when its cooldown ends. */
function usableAtMs({ cooldown, check }: TargetState, nowMs: number): number | undefined {
  if (check?.isUnhealthy(nowMs)) return check.nextCheckAtMs;
  return cooldown?.isCooling(nowMs) ? cooldown.untilMs : undefined;
}

/**
 * How long a client had better wait while none of these targets is of use: until the first probe or end of a
 * cooldown.
 *
 * @param nowMs since the epoch
 * @returns whole seconds, from 1 to 30
 */
export function secondsUntilNext(targets: readonly TargetState[], nowMs: number): number {
  const times = targets.flatMap((target) => usableAtMs(target, nowMs) ?? []);
  const seconds = Math.ceil((Math.min(...times) - nowMs) / 1000);
  return Math.min(Math.max(seconds, 1), LONGEST_SECONDS);
}
