import { describe, expect, it } from 'vitest';
import { makeBackgroundResult, type ProbeAnswer } from '../../lib/health/background-result.ts';

const rules = { ignoreStatuses: [408, 429], staleAfterMs: 60_000 };

function resultAfter(...answers: readonly ProbeAnswer[]) {
  const result = makeBackgroundResult(rules);
  for (const [index, answer] of answers.entries()) result.note(answer, index * 1000);
  return result;
}

describe('what a background check has found', () => {
  it('is nothing before the first probe', () => {
    const result = resultAfter();
    expect(result.isUnhealthy(0)).toBe(false);
    expect([result.lastCheckedAtMs, result.lastStatus, result.lastError, result.reason]).toEqual(
      Array(4).fill(undefined),
    );
  });

  it.each([200, 204, 299])('is health after a %i', (status) => {
    const result = resultAfter({ status: 500 }, { status });
    expect(result.isUnhealthy(1000)).toBe(false);
    expect([result.lastCheckedAtMs, result.lastStatus, result.reason]).toEqual([1000, status, undefined]);
  });

  it.each([302, 400, 401, 404, 500, 503])('is a failure after a %i', (status) => {
    const result = resultAfter({ status });
    expect(result.isUnhealthy(0)).toBe(true);
    expect([result.lastStatus, result.reason]).toEqual([status, 'background_check_failed']);
  });

  it('is a failure, without a status, where no answer has come', () => {
    const result = resultAfter({ status: 200 }, { error: 'ECONNREFUSED' });
    expect(result.isUnhealthy(1000)).toBe(true);
    expect([result.lastStatus, result.lastError]).toEqual([undefined, 'ECONNREFUSED']);
    expect(result.reason).toBe('background_check_failed');
  });

  it.each([
    ['healthy', { status: 200 }, false],
    ['unhealthy', { status: 500 }, true],
  ])('is still %s after a status that is ignored, which is noted', (_title, before, isUnhealthy) => {
    const result = resultAfter(before, { status: 429 });
    expect(result.isUnhealthy(1000)).toBe(isUnhealthy);
    expect([result.lastCheckedAtMs, result.lastStatus, result.reason]).toEqual([
      1000,
      429,
      'ignored_transient_error',
    ]);
  });

  it('says nothing any more when it is stale', () => {
    const result = resultAfter({ status: 500 });
    expect(result.isUnhealthy(60_000)).toBe(true);
    expect(result.isUnhealthy(60_001)).toBe(false);
  });

  it('is not kept fresh by a status that is ignored', () => {
    const result = resultAfter({ status: 500 }, { status: 429 });
    expect(result.isUnhealthy(60_001)).toBe(false);
  });

  it('is out of date when a request has been served, until the next failure', () => {
    const result = resultAfter({ status: 500 });
    result.noteSuccess();
    expect([result.isUnhealthy(0), result.reason, result.lastStatus]).toEqual([false, undefined, 500]);
    result.note({ status: 500 }, 2000);
    expect(result.isUnhealthy(2000)).toBe(true);
  });
});
