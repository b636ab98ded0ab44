import type { IncomingHttpHeaders } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { LoadedCooldown } from '../../lib/config/loaded-model-router.ts';
import { Cooldown } from '../../lib/upstream/cooldown.ts';
import type { Outcome } from '../../lib/upstream/outcome.ts';

const rules: LoadedCooldown = {
  triggerStatuses: [401, 408, 429, 500, 502, 503, 504],
  triggerOnTimeout: true,
  triggerOnTransport: true,
  defaultMs: 30_000,
  maxMs: 600_000,
  honorRetryAfter: true,
};

const nowMs = Date.UTC(2026, 5, 1, 12, 0, 0);

function answered(status: number, headers: IncomingHttpHeaders = {}): Outcome {
  return { kind: 'answered', head: { status, headers }, status };
}

/** An error in the first event of a stream. */
function inBand(status: number): Outcome {
  return { kind: 'answered', head: { status: 200, headers: {} }, status };
}

function failed(kind: Exclude<Outcome['kind'], 'answered'>): Outcome {
  return { kind, detail: 'E' };
}

function cooldownAfter(outcome: Outcome, more: Partial<LoadedCooldown> = {}): Cooldown {
  const cooldown = new Cooldown({ ...rules, ...more });
  cooldown.note(outcome, nowMs);
  return cooldown;
}

describe('a cooldown', () => {
  it.each([
    ['a 429', answered(429), 'upstream_rate_limited'],
    ['a 401', answered(401), 'upstream_auth_failure'],
    ['a 408', answered(408), 'upstream_request_timeout'],
    ['a 500', answered(500), 'upstream_server_error'],
    ['a 503', answered(503), 'upstream_server_error'],
    ['silence', failed('timed-out'), 'request_timeout'],
    ['a refused connection', failed('refused'), 'transport_error'],
    ['a broken connection', failed('reset'), 'transport_error'],
    ['what is no HTTP', failed('invalid'), 'transport_error'],
    ['a rate limit in a stream', inBand(429), 'upstream_rate_limited'],
    ['a bad gateway in a stream', inBand(502), 'upstream_server_error'],
    ['an unknown error in a stream', inBand(500), 'upstream_in_band_error'],
  ])('begins with %s, and says why', (_title, outcome, reason) => {
    const cooldown = cooldownAfter(outcome);
    expect(cooldown.isCooling(nowMs)).toBe(true);
    expect(cooldown.reason).toBe(reason);
  });

  it.each([
    ['a success', answered(200)],
    ['a redirection', answered(304)],
    ['a bad request', answered(400)],
    ['a status that is not listed', answered(529)],
    ['a bad request in a stream', inBand(400)],
    ['a client that has gone', failed('aborted')],
    ['an answer over the limit', failed('too-large')],
    ['a stream that takes too long', failed('too-long')],
    ['missing credentials', failed('no-credentials')],
  ])('does not begin with %s', (_title, outcome) => {
    const cooldown = cooldownAfter(outcome);
    expect(cooldown.isCooling(nowMs)).toBe(false);
    expect([cooldown.untilMs, cooldown.reason]).toEqual([undefined, undefined]);
  });

  it('begins with any other status that is listed', () => {
    const cooldown = cooldownAfter(answered(404), { triggerStatuses: [404] });
    expect(cooldown.reason).toBe('upstream_status_404');
  });

  it.each([
    ['silence', failed('timed-out'), { triggerOnTimeout: false }],
    ['a broken connection', failed('reset'), { triggerOnTransport: false }],
    ['a status', answered(503), { triggerStatuses: [429] }],
  ])('does not begin with %s where that is switched off', (_title, outcome, more) => {
    expect(cooldownAfter(outcome, more).isCooling(nowMs)).toBe(false);
  });

  it.each([
    ['the default where the upstream asks for nothing', answered(503), {}, 30_000],
    ['the default after a failure without an answer', failed('reset'), {}, 30_000],
    ['as long as the upstream asks for', answered(429, { 'retry-after': '180' }), {}, 180_000],
    ['less than the default if the upstream asks for less', answered(429, { 'retry-after': '2' }), {}, 2000],
    ['as long as a date says', answered(503, { 'retry-after': 'Mon, 01 Jun 2026 12:01:30 GMT' }), {}, 90_000],
    ['not longer than is allowed', answered(429, { 'retry-after': '86400' }), {}, 600_000],
    ['the default where nonsense is asked for', answered(429, { 'retry-after': '-1' }), {}, 30_000],
    [
      'the default where wishes do not count',
      answered(429, { 'retry-after': '180' }),
      { honorRetryAfter: false },
      30_000,
    ],
  ])('lasts %s', (_title, outcome, more, lengthMs) => {
    const cooldown = cooldownAfter(outcome, more);
    expect(cooldown.untilMs).toBe(nowMs + lengthMs);
    expect(cooldown.isCooling(nowMs + lengthMs - 1)).toBe(true);
    expect(cooldown.isCooling(nowMs + lengthMs)).toBe(false);
  });

  it('is none where the upstream asks for no wait', () => {
    expect(cooldownAfter(answered(503, { 'retry-after': '0' })).isCooling(nowMs)).toBe(false);
  });

  it('ends at once with a success', () => {
    const cooldown = cooldownAfter(answered(429, { 'retry-after': '300' }));
    cooldown.note(answered(200), nowMs + 5);
    expect(cooldown.isCooling(nowMs + 5)).toBe(false);
    expect([cooldown.untilMs, cooldown.reason]).toEqual([undefined, undefined]);
  });

  it('is not ended by what is not the fault of the target', () => {
    const cooldown = cooldownAfter(answered(503));
    for (const kind of ['aborted', 'too-large', 'too-long', 'no-credentials'] as const) {
      cooldown.note(failed(kind), nowMs + 5);
    }
    for (const status of [302, 400]) cooldown.note(answered(status), nowMs + 5);
    expect(cooldown.untilMs).toBe(nowMs + 30_000);
  });

  it('is not shortened by a shorter one', () => {
    const cooldown = cooldownAfter(answered(429, { 'retry-after': '300' }));
    cooldown.note(answered(503), nowMs + 1000);
    expect([cooldown.untilMs, cooldown.reason]).toEqual([nowMs + 300_000, 'upstream_rate_limited']);
  });

  it('goes on from a later failure, with its reason', () => {
    const cooldown = cooldownAfter(answered(503));
    cooldown.note(failed('timed-out'), nowMs + 10_000);
    expect([cooldown.untilMs, cooldown.reason]).toEqual([nowMs + 40_000, 'request_timeout']);
  });

  it('begins anew after its end', () => {
    const cooldown = cooldownAfter(answered(429, { 'retry-after': '300' }));
    cooldown.note(answered(401), nowMs + 301_000);
    expect([cooldown.untilMs, cooldown.reason]).toEqual([nowMs + 331_000, 'upstream_auth_failure']);
  });

  it('neither lasts longer nor is lost when the clock is set back', () => {
    const cooldown = cooldownAfter(answered(503));
    const hourBefore = nowMs - 3_600_000;
    expect(cooldown.isCooling(hourBefore)).toBe(false);
    cooldown.note(answered(503), hourBefore);
    expect(cooldown.isCooling(hourBefore)).toBe(true);
    expect(cooldown.untilMs).toBe(hourBefore + 30_000);
  });
});
