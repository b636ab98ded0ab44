import { describe, expect, it } from 'vitest';
import { MovingAverage } from '../../lib/stats/moving-average.ts';

function averageOf(samples: readonly number[]): number | undefined {
  const average = new MovingAverage();
  for (const sample of samples) average.add(sample);
  return average.value;
}

describe('a moving average', () => {
  it.each([
    ['is unknown before the first sample', [], undefined],
    ['is the first sample', [100], 100],
    ['is the first sample even where that is 0', [0], 0],
    ['moves by three tenths towards a new one', [100, 200], 130],
    ['forgets the older ones by and by', [100, 200, 0], 91],
  ])('%s', (_title, samples, expected) => {
    const value = averageOf(samples);
    if (expected === undefined) expect(value).toBeUndefined();
    else expect(value).toBeCloseTo(expected, 9);
  });
});
