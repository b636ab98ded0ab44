import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { LoadedBackgroundCheck } from '../../lib/config/loaded-model-router.ts';
import type { BackgroundProbe } from '../../lib/health/ask-probe.ts';
import { makeBackgroundChecks } from '../../lib/health/background-checks.ts';
import type { ProbeAnswer } from '../../lib/health/background-result.ts';

const DAY_MS = 86_400_000;

const rules: LoadedBackgroundCheck = {
  intervalMs: 10_000,
  timeoutMs: 3000,
  prompt: 'ping',
  maxTokens: 1,
  ignoreStatuses: [408],
  staleAfterMs: 60_000,
};

/** Checks that end with the test. */
function makeChecks() {
  const checks = makeBackgroundChecks();
  onTestFinished(() => checks.close());
  return checks;
}

/** A probe that is answered when the test says so. */
function makeProbe() {
  const signals: AbortSignal[] = [];
  let answer = (_answer: ProbeAnswer): void => {};
  const run: BackgroundProbe = (signal) => {
    signals.push(signal);
    return new Promise((resolve) => {
      answer = resolve;
    });
  };
  return { run, signals, answer: (given: ProbeAnswer) => answer(given) };
}

const healthy: BackgroundProbe = async () => ({ status: 200 });

async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

beforeEach(() => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
});

describe('background checks', () => {
  it('probe soon after the start, and then in the interval', async () => {
    const probe = vi.fn(healthy);
    const check = makeChecks().watch('a', rules, probe);
    await pass(1);
    expect(probe).toHaveBeenCalledTimes(1);
    expect(check.lastStatus).toBe(200);
    expect(check.nextCheckAtMs).toBe((check.lastCheckedAtMs ?? 0) + 10_000);
    await pass(9998);
    expect(probe).toHaveBeenCalledTimes(1);
    await pass(1);
    expect(probe).toHaveBeenCalledTimes(2);
  });

  it('do not begin with all targets at once', async () => {
    const checks = makeChecks();
    const begun: number[] = [];
    const startMs = Date.now();
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      checks.watch(name, rules, async () => {
        begun.push(Date.now() - startMs);
        return { status: 200 };
      });
    }
    await pass(1000);
    expect(new Set(begun).size).toBe(5);
    expect(Math.max(...begun)).toBeLessThan(1000);
  });

  it('never probe a target twice at once', async () => {
    const probe = makeProbe();
    makeChecks().watch('a', { ...rules, timeoutMs: 60_000 }, probe.run);
    await pass(35_000);
    expect(probe.signals).toHaveLength(1);
    probe.answer({ status: 200 });
    await pass(1);
    expect(probe.signals).toHaveLength(2);
  });

  it('probe four targets at once at most, of whatever middleware', async () => {
    const probes = Array.from({ length: 6 }, makeProbe);
    const two = [makeChecks(), makeChecks()];
    for (const [index, { run }] of probes.entries()) {
      two[index % 2]?.watch(`${index}`, rules, run);
    }
    await pass(1000);
    const underWay = () => probes.filter(({ signals }) => signals.length > 0).length;
    expect(underWay()).toBe(4);
    probes[0]?.answer({ status: 200 });
    await pass(0);
    expect(underWay()).toBe(5);
  });

  it('count no answer in time as a 408, and call the probe off', async () => {
    const probe = makeProbe();
    const check = makeChecks().watch('a', { ...rules, ignoreStatuses: [] }, probe.run);
    await pass(2999);
    expect(probe.signals[0]?.aborted).toBe(false);
    await pass(1);
    expect(probe.signals[0]?.aborted).toBe(true);
    expect([check.lastStatus, check.isUnhealthy(Date.now())]).toEqual([408, true]);
  });

  it('note no answer in time without a verdict where 408 is ignored', async () => {
    const check = makeChecks().watch('a', rules, makeProbe().run);
    await pass(3000);
    expect([check.isUnhealthy(Date.now()), check.reason]).toEqual([false, 'ignored_transient_error']);
  });

  it('go on after a probe that does not stop when it should', async () => {
    const probe = makeProbe();
    makeChecks().watch('a', rules, probe.run);
    await pass(10_000);
    expect(probe.signals).toHaveLength(2);
  });

  it.each([
    ['rejects', () => Promise.reject(new Error('secret'))],
    [
      'throws',
      () => {
        throw new Error('secret');
      },
    ],
  ])('count a probe that %s as failed, and do not quote it', async (_title, probe) => {
    const check = makeChecks().watch('a', rules, probe);
    await pass(1);
    expect(check.isUnhealthy(Date.now())).toBe(true);
    expect([check.lastError, check.reason]).toEqual(['PROBE_FAILED', 'background_check_failed']);
  });

  it('find that a target is well again', async () => {
    let status = 500;
    const check = makeChecks().watch('a', rules, async () => ({ status }));
    await pass(1);
    expect(check.isUnhealthy(Date.now())).toBe(true);
    status = 200;
    await pass(10_000);
    expect(check.isUnhealthy(Date.now())).toBe(false);
  });

  it('take a request that was served for a good sign', async () => {
    const check = makeChecks().watch('a', rules, async () => ({ status: 500 }));
    await pass(1);
    check.noteSuccess();
    expect(check.isUnhealthy(Date.now())).toBe(false);
  });

  it('wait for months where that is the interval', async () => {
    const probe = vi.fn(healthy);
    makeChecks().watch('a', { ...rules, intervalMs: 60 * DAY_MS }, probe);
    await pass(59 * DAY_MS);
    expect(probe).toHaveBeenCalledTimes(1);
    await pass(DAY_MS + 1);
    expect(probe).toHaveBeenCalledTimes(2);
  });
});

describe('background checks that are closed', () => {
  it('call off the probe under way, and ask no more', async () => {
    const probe = makeProbe();
    const check = makeChecks().watch('a', rules, probe.run);
    await pass(1);
    check.close();
    await pass(60_000);
    expect(probe.signals.map(({ aborted }) => aborted)).toEqual([true]);
    expect([check.nextCheckAtMs, check.lastCheckedAtMs]).toEqual([undefined, undefined]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('leave their place to others', async () => {
    const hanging = Array.from({ length: 4 }, makeProbe);
    const checks = makeChecks();
    for (const [index, { run }] of hanging.entries()) checks.watch(`${index}`, rules, run);
    await pass(1000);
    checks.close();
    const probe = vi.fn(healthy);
    makeChecks().watch('next', rules, probe);
    await pass(1);
    expect(probe).toHaveBeenCalledTimes(1);
  });

  it('do not begin a probe that still waits for its turn', async () => {
    const checks = makeChecks();
    for (const name of ['a', 'b', 'c', 'd']) checks.watch(name, rules, makeProbe().run);
    const late = vi.fn(healthy);
    const check = checks.watch('late', rules, late);
    await pass(1000);
    check.close();
    await pass(5000);
    expect(late).not.toHaveBeenCalled();
  });
});

describe('a target that the next plan watches, too', () => {
  it('keeps what is known of it, and is not probed at once again', async () => {
    const checks = makeChecks();
    const before = checks.watch('a', rules, async () => ({ status: 500 }));
    await pass(1000);
    const probe = vi.fn(healthy);
    const after = checks.watch('a', rules, probe);
    before.close();
    await pass(1000);
    expect(after.isUnhealthy(Date.now())).toBe(true);
    expect(probe).not.toHaveBeenCalled();
    await pass(8001);
    expect(probe).toHaveBeenCalledTimes(1);
    expect(after.isUnhealthy(Date.now())).toBe(false);
  });

  it('is asked by the new plan when the old one closes in the middle of a probe', async () => {
    const checks = makeChecks();
    const old = makeProbe();
    const before = checks.watch('a', rules, old.run);
    await pass(1);
    const after = checks.watch('a', rules, healthy);
    before.close();
    old.answer({ status: 500 });
    await pass(1);
    expect(old.signals[0]?.aborted).toBe(true);
    expect(after.lastStatus).toBe(200);
  });

  it('is another one under other rules', async () => {
    const checks = makeChecks();
    checks.watch('a', rules, async () => ({ status: 500 }));
    await pass(1);
    const other = checks.watch('a', { ...rules, prompt: 'hello' }, healthy);
    expect(other.lastCheckedAtMs).toBeUndefined();
    await pass(1000);
    expect(other.lastStatus).toBe(200);
  });

  it('is not let go of twice by one plan', async () => {
    const checks = makeChecks();
    const probe = vi.fn(healthy);
    const first = checks.watch('a', rules, healthy);
    checks.watch('a', rules, probe);
    first.close();
    first.close();
    await pass(1);
    expect(probe).toHaveBeenCalledTimes(1);
  });
});
