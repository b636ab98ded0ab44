/** Shorter words are contained in others by chance. */
const SHORTEST_CONTAINED = 4;

/** Spelling that people mix up: capitals, and what separates the words. */
function simplify(word: string): string {
  return word.toLowerCase().replace(/[\s_-]/g, '');
}

/**
 * How many letters must be added, removed, changed or swapped with their neighbour to turn one word into the
 * other (the optimal string alignment distance).
 */
function distance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const change = from[row - 1] === to[column - 1] ? 0 : 1;
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      current[column] = Math.min(
        at(last, column) + 1,
        at(current, column - 1) + 1,
        at(last, column - 1) + change,
        swapped ? at(beforeLast, column - 2) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    [beforeLast, last] = [last, current];
  }
  return at(last, to.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}

/** A slip in a short word, up to a third of the letters in a longer one. */
function isClose(word: string, candidate: string, letters: number): boolean {
  return letters <= Math.max(1, Math.floor(Math.max(word.length, candidate.length) / 3));
}

function contains(word: string, candidate: string): boolean {
  const [short, long] = word.length < candidate.length ? [word, candidate] : [candidate, word];
  return short.length >= SHORTEST_CONTAINED && long.includes(short);
}

/** The candidate that a word was probably meant to be: the nearest by spelling, else one that contains it. */
export function suggest(word: string, candidates: readonly string[]): string | undefined {
  const simple = simplify(word.slice(0, 100));
  const [nearest] = candidates
    .map((candidate) => ({ candidate, letters: distance(simple, simplify(candidate)) }))
    .filter(({ candidate, letters }) => isClose(simple, simplify(candidate), letters))
    .sort((one, other) => one.letters - other.letters);
  return nearest?.candidate ?? candidates.find((candidate) => contains(simple, simplify(candidate)));
}

/** To look for what was meant takes as long as there are names; one who has many wrong needs no more than this. */
const MOST_HINTS = 20;

/** `didYouMean` for the first 20 words; nothing for those after. */
export function makeHinter(): typeof didYouMean {
  let hints = 0;
  return (word, candidates) => (hints++ < MOST_HINTS ? didYouMean(word, candidates) : '');
}

/** `; did you mean "…"?`, or nothing when no candidate resembles the word. */
export function didYouMean(word: string, candidates: readonly string[]): string {
  const suggestion = suggest(word, candidates);
  return suggestion === undefined ? '' : `; did you mean ${JSON.stringify(suggestion)}?`;
}
