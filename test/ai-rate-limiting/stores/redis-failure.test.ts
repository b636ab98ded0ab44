import { describe, expect, it } from 'vitest';
import { redisFailure } from '../../../lib/ai-rate-limiting/redis-failure.ts';

const PASSWORD = 'the-right-password';
const refused = Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' });
const allFailed = Object.assign(new Error('Failed to refresh slots cache.'), {
  lastNodeError: new Error('WRONGPASS invalid username-password pair'),
});

describe('the reason for a failure of Redis', () => {
  it.each([
    ['is what the error says', new Error('connect ECONNREFUSED ::1:6379'), 'connect ECONNREFUSED ::1:6379'],
    ['is a code where the error says nothing', refused, 'ECONNREFUSED'],
    [
      'is that of the last node where all of a cluster failed',
      allFailed,
      'WRONGPASS invalid username-password pair',
    ],
    ['is what was thrown, also when that is no error', 'no idea', 'no idea'],
    ['holds no password', new Error(`ERR what is ${PASSWORD}?`), 'ERR what is ***?'],
    [
      'holds no part of a password that Redis repeats and cuts off',
      new Error(`ERR unknown command 'AUTH', with args beginning with: '${PASSWORD.slice(0, 8)}', `),
      "ERR unknown command 'AUTH'",
    ],
    ['is one line', new Error('one\r\ntwo\u2028three'), 'one two three'],
    ['is short', new Error('x'.repeat(5000)), 'x'.repeat(200)],
  ])('%s', (_what, error, reason) => {
    expect(redisFailure(error, [PASSWORD])).toBe(reason);
  });
});
