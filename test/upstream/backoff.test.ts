import { describe, expect, it } from 'vitest';
import { backoffMs } from '../../lib/upstream/backoff.ts';

const nowMs = Date.UTC(2026, 5, 1, 12, 0, 0);

describe('backoffMs', () => {
  it.each([
    [1, 250],
    [2, 500],
    [3, 1000],
    [4, 2000],
    [5, 2000],
    [5000, 2000],
  ])('waits before retry %i at least %i ms', (retry, expected) => {
    expect(backoffMs(retry, undefined, nowMs, () => 0)).toBe(expected);
  });

  it('adds up to a quarter of a second by chance', () => {
    expect(backoffMs(1, undefined, nowMs, () => 0.5)).toBe(375);
    expect(backoffMs(1, undefined, nowMs, () => 1)).toBe(500);
    for (let count = 0; count < 50; count++) {
      const waitMs = backoffMs(1, undefined, nowMs);
      expect(waitMs).toBeGreaterThanOrEqual(250);
      expect(waitMs).toBeLessThan(500);
    }
  });

  it.each([
    ['waits as long as the upstream asks for', { 'retry-after': '3' }, 3000],
    ['waits the longest time that is honoured', { 'retry-after': '5' }, 5000],
    ['goes by the retry where the upstream asks for more', { 'retry-after': '5.001' }, 500],
    ['takes milliseconds', { 'retry-after-ms': '40' }, 40],
    ['takes a date', { 'retry-after': 'Mon, 01 Jun 2026 12:00:02 GMT' }, 2000],
    ['does not wait where the upstream asks for no wait', { 'retry-after': '0' }, 0],
    ['goes by the retry where the upstream asks for nonsense', { 'retry-after': 'later' }, 500],
    ['goes by the retry where the upstream asks for nothing', {}, 500],
  ])('%s', (_title, headers, expected) => {
    expect(backoffMs(2, headers, nowMs, () => 0)).toBe(expected);
  });

  it('adds chance to what the upstream asks for, too', () => {
    expect(backoffMs(1, { 'retry-after': '5' }, nowMs, () => 1)).toBe(5250);
  });
});
