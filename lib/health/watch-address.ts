import type { LoadedActiveChecks } from '../config/loaded-config.ts';
import type { HealthState } from '../status.ts';
import type { Probe } from './probe.ts';
import { noOutcome } from './probe-outcome.ts';
import { nextSlot, timerMs } from './slots.ts';
import { makeThreshold } from './threshold.ts';
import type { Turnstile } from './turnstile.ts';

/** One address of an instance, probed again and again. */
export interface WatchedAddress {
  readonly address: string;
  readonly state: HealthState;
  /** What the probe that changed the state came to. */
  readonly reason: string | undefined;
  /** Ends a probe under way, too. */
  stop(): void;
}

export function intervalMs(state: HealthState, { healthy, unhealthy }: LoadedActiveChecks): number {
  return timerMs(state === 'unhealthy' ? unhealthy.interval : healthy.interval);
}

/** What the addresses of one instance share. */
export interface Watch {
  readonly checks: LoadedActiveChecks;
  readonly turnstile: Turnstile;
  /** Until the first probe. */
  readonly delayMs: number;
}

/**
 * Probes an address in its interval until it is stopped. The next probe waits for the end of the last one.
 *
 * @param onChange called when the state has changed
 */
export function watchAddress(
  address: string,
  probe: Probe,
  { checks, turnstile, delayMs }: Watch,
  onChange: (watched: WatchedAddress, before: HealthState) => void,
): WatchedAddress {
  const threshold = makeThreshold(checks);
  let reason: string | undefined;
  let isStopped = false;
  let dueMs = performance.now() + delayMs;
  let timer = wait();

  const watched: WatchedAddress = {
    address,
    get state() {
      return threshold.state;
    },
    get reason() {
      return reason;
    },
    stop() {
      isStopped = true;
      clearTimeout(timer);
      probe.close();
    },
  };

  function wait(): NodeJS.Timeout {
    dueMs = nextSlot(dueMs);
    return setTimeout(() => void run(), dueMs - performance.now()).unref();
  }

  async function run(): Promise<void> {
    const outcome = await turnstile.pass(async () => (isStopped ? noOutcome : probe.run()));
    if (isStopped) return;
    const before = threshold.state;
    const changed = threshold.report(outcome.kind);
    dueMs = Math.max(dueMs + intervalMs(threshold.state, checks), performance.now());
    timer = wait();
    if (!changed) return;
    reason = outcome.reason;
    onChange(watched, before);
  }

  return watched;
}
