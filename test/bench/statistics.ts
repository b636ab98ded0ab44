/** The middle value; the mean of the two middle ones when their number is even. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  if (upper === undefined || lower === undefined) throw new Error('no values, no median');
  return (lower + upper) / 2;
}

/** Ratios of what was measured in the same round: noise that lasts longer than a round cancels out. */
export interface Ratio {
  median: number;
  min: number;
  max: number;
}

export function ratioOf(values: readonly number[], baseline: readonly number[]): Ratio {
  const ratios = values.flatMap((value, round) => {
    const base = baseline[round];
    return base === undefined ? [] : [value / base];
  });
  return { median: median(ratios), min: Math.min(...ratios), max: Math.max(...ratios) };
}
