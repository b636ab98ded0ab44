import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { startLongTimer } from '../../lib/health/long-timer.ts';

const DAY_MS = 86_400_000;

describe('a long timer', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
  });

  it.each([
    ['after a millisecond', 1],
    ['after five seconds', 5000],
    ['after 24 days, which a timer can do', 24 * DAY_MS],
    ['after 100 days, which a timer cannot do', 100 * DAY_MS],
  ])('calls once, %s', (_title, delayMs) => {
    const onDue = vi.fn();
    startLongTimer(delayMs, onDue);
    vi.advanceTimersByTime(delayMs - 1);
    expect(onDue).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(onDue).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(200 * DAY_MS);
    expect(onDue).toHaveBeenCalledTimes(1);
  });

  it('never calls after an endless delay', () => {
    const onDue = vi.fn();
    startLongTimer(Number.POSITIVE_INFINITY, onDue);
    vi.advanceTimersByTime(1000 * DAY_MS);
    expect(onDue).not.toHaveBeenCalled();
  });

  it.each([0, 30])('can be called off after %i days', (days) => {
    const onDue = vi.fn();
    const stop = startLongTimer(100 * DAY_MS, onDue);
    vi.advanceTimersByTime(days * DAY_MS);
    stop();
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(200 * DAY_MS);
    expect(onDue).not.toHaveBeenCalled();
  });
});
