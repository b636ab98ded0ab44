import { describe, expect, it } from 'vitest';
import { statusRater } from '../../lib/health/probe-outcome.ts';
import { makeThreshold } from '../../lib/health/threshold.ts';

const limits = {
  healthy: { successes: 2 },
  unhealthy: { http_failures: 3, tcp_failures: 2, timeouts: 2 },
};

const kinds = { s: 'success', h: 'http_failure', c: 'tcp_failure', t: 'timeout', '-': 'none' } as const;

function isKind(letter: string): letter is keyof typeof kinds {
  return letter in kinds;
}

/** The state after each outcome, as a letter: `?` unchecked, `+` healthy, `x` unhealthy. */
function statesAfter(outcomes: string): string {
  const threshold = makeThreshold(limits);
  const letters = { unchecked: '?', healthy: '+', unhealthy: 'x' };
  return Array.from(outcomes, (letter) => {
    if (!isKind(letter)) throw new Error(`no outcome: ${letter}`);
    const before = threshold.state;
    expect(threshold.report(kinds[letter])).toBe(threshold.state !== before);
    return letters[threshold.state];
  }).join('');
}

describe('the health of an address (s: success, h: bad status, c: no connection, t: timeout, -: neither)', () => {
  it.each([
    ['is healthy after its first good probe', 's', '+'],
    ['stays unchecked while its probes count for nothing', '---', '???'],
    ['is unhealthy after three bad statuses in a row', 'hhh', '??x'],
    ['is unhealthy after two failed connections in a row', 'cc', '?x'],
    ['is unhealthy after two timeouts in a row', 'tt', '?x'],
    ['counts each kind of failure by itself', 'shcthct', '+++++xx'],
    ['forgets all failures with a success', 'shhcsthhcs', '++++++++++'],
    ['forgets no failure with a probe that counts for nothing', 'sh-h-h', '+++++x'],
    ['is healthy again after two good probes in a row', 'ccss', '?xx+'],
    ['forgets the successes with any failure', 'ccshsts-s', '?xxxxxxx+'],
    ['forgets no success with a probe that counts for nothing', 'ccs-s', '?xxx+'],
    ['begins to count from nothing after a recovery', 'ccsscc', '?xx++x'],
    ['stays unhealthy whatever else fails', 'cchhttcc', '?xxxxxxx'],
  ])('%s', (_title, outcomes, states) => {
    expect(statesAfter(outcomes)).toBe(states);
  });
});

describe('a status', () => {
  const rate = statusRater({
    healthy: { interval: 1, successes: 1, http_statuses: [200, 302, 429] },
    unhealthy: { interval: 1, http_failures: 1, tcp_failures: 1, timeouts: 1, http_statuses: [429, 500] },
  });

  it.each([
    ['of the healthy list is a success', 302, 'success'],
    ['of the unhealthy list is a failure', 500, 'http_failure'],
    ['of both is a success', 429, 'success'],
    ['of neither counts for nothing', 401, 'none'],
  ])('%s', (_title, status, kind) => {
    expect(rate(status)).toEqual({ kind, reason: `status ${status}` });
  });
});
