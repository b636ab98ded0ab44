import type { LoadedBackgroundCheck } from '../config/loaded-model-router.ts';
import type { BackgroundProbe } from './ask-probe.ts';
import { type BackgroundLoop, startBackgroundLoop } from './background-loop.ts';
import type { BackgroundResult } from './background-result.ts';
import { firstDelayMs } from './slots.ts';
import { makeTurnstile } from './turnstile.ts';

/** Each of them is paid for, and some go to machines that serve few at a time. */
const PROBES_AT_ONCE = 4;

/** One for the whole process. */
const turnstile = makeTurnstile(PROBES_AT_ONCE);

/** One plan's hold on the background check of a target. */
export interface BackgroundCheck extends BackgroundResult {
  /** Milliseconds since the epoch. In the past while a probe is under way; `undefined` when checks have ended. */
  readonly nextCheckAtMs: number | undefined;
  /** Takes its probe back, and calls it off if it is under way. The check ends with its last hold. */
  close(): void;
}

/** The background checks of one middleware, which outlive its plans: probes are paid for. */
export interface BackgroundChecks {
  /**
   * Begins to probe a target, or goes on with what is known of it where it is watched already.
   *
   * @param name stands, together with the rules, for the target: what makes it another one belongs into it
   * @param probe takes the place of older ones for the same target
   */
  watch(name: string, rules: LoadedBackgroundCheck, probe: BackgroundProbe): BackgroundCheck;
  /** Ends all of them and calls off the probes under way. */
  close(): void;
}

function hold(loop: BackgroundLoop, close: () => void): BackgroundCheck {
  const { result } = loop;
  return {
    isUnhealthy: result.isUnhealthy,
    get lastCheckedAtMs() {
      return result.lastCheckedAtMs;
    },
    get lastStatus() {
      return result.lastStatus;
    },
    get lastError() {
      return result.lastError;
    },
    get reason() {
      return result.reason;
    },
    get nextCheckAtMs() {
      return loop.nextCheckAtMs;
    },
    noteSuccess: result.noteSuccess,
    close,
  };
}

export function makeBackgroundChecks(): BackgroundChecks {
  const running = new Map<string, BackgroundLoop>();
  let started = 0;
  return {
    watch(name, rules, probe) {
      const key = JSON.stringify([name, rules]);
      const loop = running.get(key) ?? startBackgroundLoop(rules, turnstile, firstDelayMs(started++));
      running.set(key, loop);
      // A probe of its own, even if the same function is handed in twice.
      const own: BackgroundProbe = (signal) => probe(signal);
      loop.use(own);
      return hold(loop, () => {
        if (loop.drop(own) && running.get(key) === loop) running.delete(key);
      });
    },
    close() {
      for (const loop of running.values()) loop.stop();
      running.clear();
    },
  };
}
