import type { LoadedBackgroundCheck } from '../config/loaded-model-router.ts';
import { askProbe, type BackgroundProbe } from './ask-probe.ts';
import { type BackgroundResult, makeBackgroundResult } from './background-result.ts';
import { startLongTimer } from './long-timer.ts';
import type { Turnstile } from './turnstile.ts';

/** Probes one target again and again, as long as anybody brings a probe for it. */
export interface BackgroundLoop {
  readonly result: BackgroundResult;
  /** Milliseconds since the epoch. In the past while a probe is under way; `undefined` after the end. */
  readonly nextCheckAtMs: number | undefined;
  /** From now on this probe asks. */
  use(probe: BackgroundProbe): void;
  /**
   * Takes a probe back. If it is under way it is called off, and the one before it, or after it, asks instead.
   *
   * @returns whether that was the last one, which ends the loop
   */
  drop(probe: BackgroundProbe): boolean;
  /** Ends a probe under way, too. What was found stays. */
  stop(): void;
}

/** @param delayMs until the first probe */
export function startBackgroundLoop(
  rules: LoadedBackgroundCheck,
  turnstile: Turnstile,
  delayMs: number,
): BackgroundLoop {
  const result = makeBackgroundResult(rules);
  /** Newest last. */
  const probes: BackgroundProbe[] = [];
  let underWay: { readonly probe: BackgroundProbe; readonly caller: AbortController } | undefined;
  let isStopped = false;
  /** In `performance.now()`'s milliseconds. */
  let dueMs = performance.now() + delayMs;
  let stopTimer = wait();

  function wait(): () => void {
    return startLongTimer(dueMs - performance.now(), () => void run());
  }

  async function ask() {
    const probe = probes.at(-1);
    if (isStopped || probe === undefined) return undefined;
    const caller = new AbortController();
    underWay = { probe, caller };
    const answer = await askProbe(probe, rules.timeoutMs, caller.signal);
    underWay = undefined;
    return answer;
  }

  async function run(): Promise<void> {
    const answer = await turnstile.pass(ask);
    if (isStopped) return;
    const nowMs = performance.now();
    if (answer === undefined) dueMs = nowMs;
    else {
      result.note(answer, Date.now());
      dueMs = Math.max(dueMs + rules.intervalMs, nowMs);
    }
    stopTimer = wait();
  }

  function stop(): void {
    isStopped = true;
    stopTimer();
    underWay?.caller.abort();
  }

  return {
    result,
    get nextCheckAtMs() {
      return isStopped ? undefined : Date.now() + dueMs - performance.now();
    },
    use: (probe) => void probes.push(probe),
    drop(probe) {
      const at = probes.lastIndexOf(probe);
      if (at !== -1) probes.splice(at, 1);
      if (probes.length === 0) stop();
      else if (underWay?.probe === probe) underWay.caller.abort();
      return probes.length === 0;
    },
    stop,
  };
}
