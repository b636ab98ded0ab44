import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { makeLimiter } from '../../lib/ai-rate-limiting/limiter.ts';
import { openLocalPools } from '../../lib/ai-rate-limiting/local-pools.ts';
import { loadRateLimiting } from '../../lib/config/load-rate-limiting.ts';
import type { Consumption } from '../../lib/quota.ts';
import { resolveHost } from '../../lib/resolve-host.ts';
import { keepJournal } from './stores/opening.ts';

/**
 * The attack: a rule counts by a header that clients choose, so that each request can make a new counter. Were they
 * all kept in one place, somebody whose own quota is spent could push his counter out of it, and everybody else's.
 */
const RULES = {
  rules: [
    { key: '$http_x_session', count: 100, time_window: 60 },
    { key: '$http_x_team', count: 100, time_window: 60, header_prefix: 'team' },
  ],
};

const BOUND = 50;

const usage = {
  promptTokens: 100,
  completionTokens: 0,
  totalTokens: 100,
  cacheReadInputTokens: 0,
  cacheCreationInputTokens: 0,
  reasoningTokens: 0,
};
const consumption: Consumption = { source: 'reported', usage, rawUsage: {} };

function openLimiter(config: object) {
  const host = resolveHost({ logger: keepJournal().logger });
  const loaded = loadRateLimiting(config, host.logger, { hasSecretResolver: false });
  const limiter = makeLimiter(loaded, '', host, openLocalPools(BOUND));
  return (headers: Record<string, string>) => {
    const req = new IncomingMessage(new Socket());
    Object.assign(req.headers, headers);
    const quota = limiter.open(req, {});
    void quota?.look(['a']);
    return {
      isSpent: quota?.isSpent('a'),
      end: () => quota?.settle('a', consumption),
    };
  };
}

describe('a rule whose key clients make up', () => {
  it("pushes no other rule's counters out, however many keys they make up", () => {
    const ask = openLimiter(RULES);
    ask({ 'x-team': 'red' }).end();
    for (let session = 0; session < 10 * BOUND; session++) ask({ 'x-session': `s-${session}` }).end();
    expect(ask({ 'x-team': 'red' }).isSpent).toBe(true);
    expect(ask({ 'x-session': 's-0' }).isSpent).toBe(false);
  });

  it('keeps the counters that are used, and drops those used longest ago', () => {
    const ask = openLimiter(RULES);
    ask({ 'x-session': 'mine' }).end();
    for (let session = 0; session < 10 * BOUND; session++) {
      ask({ 'x-session': `s-${session}` }).end();
      expect(ask({ 'x-session': 'mine' }).isSpent).toBe(true);
    }
  });
});
