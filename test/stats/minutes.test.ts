import { describe, expect, it } from 'vitest';
import { Minutes } from '../../lib/stats/minutes.ts';

const MINUTE_MS = 60_000;

describe('the last fifteen minutes', () => {
  it('begin with the minute of the start', () => {
    expect(new Minutes(90_000).status(90_000)).toEqual([{ attempts: 0, errors: 0, tokens: 0 }]);
  });

  it('come oldest first, those without anything included', () => {
    const minutes = new Minutes(0);
    minutes.at(0).tokens += 7;
    minutes.at(2 * MINUTE_MS).attempts++;
    expect(minutes.status(3 * MINUTE_MS)).toEqual([
      { attempts: 0, errors: 0, tokens: 7 },
      { attempts: 0, errors: 0, tokens: 0 },
      { attempts: 1, errors: 0, tokens: 0 },
      { attempts: 0, errors: 0, tokens: 0 },
    ]);
  });

  it('tell the mean latency of those that had answers', () => {
    const minutes = new Minutes(0);
    const now = minutes.at(0);
    now.latencySumMs = 25;
    now.latencyCount = 2;
    expect(minutes.status(0)[0]?.latency_ms).toBe(13);
  });

  it('are never more than fifteen, and use their records again', () => {
    const minutes = new Minutes(0);
    for (let minute = 0; minute < 40; minute++) minutes.at(minute * MINUTE_MS).tokens = minute;
    const tokens = minutes.status(39 * MINUTE_MS).map((minute) => minute.tokens);
    expect(tokens).toEqual(Array.from({ length: 15 }, (_, index) => 25 + index));
  });

  it('are all empty after a long pause', () => {
    const minutes = new Minutes(0);
    minutes.at(0).errors = 3;
    expect(minutes.status(1000 * MINUTE_MS).every(({ errors }) => errors === 0)).toBe(true);
  });
});
