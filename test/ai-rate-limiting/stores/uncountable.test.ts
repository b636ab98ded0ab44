import { describe, expect, it } from 'vitest';
import { openLocalStore } from '../../../lib/ai-rate-limiting/local-store.ts';

describe('a charge that cannot be counted', () => {
  it.each([
    ['a fraction', 1.5],
    ['zero', 0],
    ['below zero', -1],
    ['larger than any exact number', Number.MAX_SAFE_INTEGER + 1],
    ['infinite', Number.POSITIVE_INFINITY],
    ['no number', Number.NaN],
  ])('is refused, and the rest of its batch with it, when it is %s', async (_what, amount) => {
    const store = openLocalStore();
    const good = { key: 'a', amount: 1, windowSeconds: 60 };
    expect(() => store.add([good, { ...good, amount }])).toThrow(RangeError);
    expect((await store.read(['a']))[0]?.used).toBe(0);
  });

  it.each([0, 0.5, -60, Number.NaN, Number.POSITIVE_INFINITY])(
    'is refused when its window has %s seconds',
    (windowSeconds) => {
      const store = openLocalStore();
      expect(() => store.add([{ key: 'a', amount: 1, windowSeconds }])).toThrow(RangeError);
    },
  );

  it('is not the largest exact number', async () => {
    const store = openLocalStore();
    const amount = Number.MAX_SAFE_INTEGER;
    await store.add([{ key: 'a', amount, windowSeconds: amount }]);
    expect((await store.read(['a']))[0]?.used).toBe(amount);
  });
});
