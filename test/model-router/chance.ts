/** Numbers that look random and are the same for the same seed and words, in whatever order they are asked for. */
export function chance(seed: number, ...words: readonly (string | number)[]): number {
  let hash = 0x811c9dc5 ^ seed;
  for (const byte of Buffer.from(words.join('|'))) hash = Math.imul(hash ^ byte, 0x01000193);
  // FNV alone leaves neighbours close together; the finalizer of MurmurHash3 spreads them.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

/** One of the entries, each as often as its weight says. */
export function draw<Entry extends { readonly weight: number }>(
  entries: readonly Entry[],
  number: number,
): Entry {
  let left = number * entries.reduce((sum, { weight }) => sum + weight, 0);
  const found = entries.find(({ weight }) => {
    left -= weight;
    return left < 0;
  });
  if (found === undefined) throw new RangeError('The number is not below 1');
  return found;
}
