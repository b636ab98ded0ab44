/** Whether a model of this name may be used. */
export type IsAllowed = (name: string) => boolean;

interface Glob {
  readonly start: string;
  readonly end: string;
}

/** Only the first `*` stands for anything: a second one, which no checked entry has, stands for itself. */
function parseGlob(entry: string): Glob {
  const star = entry.indexOf('*');
  return { start: entry.slice(0, star), end: entry.slice(star + 1) };
}

function matches({ start, end }: Glob, name: string): boolean {
  // `a*a` needs two of them: start and end must not overlap.
  return name.length >= start.length + end.length && name.startsWith(start) && name.endsWith(end);
}

/**
 * Compiles an allow-list. A `*` stands for any characters, or none; the rest has to be the same, letter case included.
 * An empty list allows nothing.
 *
 * @param entries names, each with at most one `*`
 */
export function compileAllowedNames(entries: readonly string[]): IsAllowed {
  const names = new Set(entries.filter((entry) => !entry.includes('*')));
  const globs = entries.filter((entry) => entry.includes('*')).map(parseGlob);
  return (name) => names.has(name) || globs.some((glob) => matches(glob, name));
}
