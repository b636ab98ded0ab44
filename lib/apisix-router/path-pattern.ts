/** A route's path, compiled. Paths are compared byte by byte, each character standing for one. */
export interface PathPattern {
  readonly hasWildcard: boolean;
  /** How many bytes there are in front of the first `*`. */
  readonly prefixLength: number;
  /** How many bytes of a path it says something about. */
  readonly fixedLength: number;
  /** @param path decoded to bytes */
  takes(path: string): boolean;
}

/** What stands for anything: `*`, which may have a name where it begins a segment. */
const WILDCARD = /(?<=^|\/)\*[^/*]*|\*/;

/** Looks for each piece behind the one before it. A regular expression with as many `*` could take very long. */
function fitsPieces(path: string, first: string, pieces: readonly string[], last: string): boolean {
  if (!path.startsWith(first)) return false;
  let end = first.length;
  for (const piece of pieces) {
    const start = path.indexOf(piece, end);
    if (start === -1) return false;
    end = start + piece.length;
  }
  return path.length - last.length >= end && path.endsWith(last);
}

/** Compiles a path in which any `*` takes any number of segments, as in APISIX. */
export function compilePath(uri: string): PathPattern {
  const [first = '', ...others] = Buffer.from(uri).toString('latin1').split(WILDCARD);
  const last = others.pop();
  const fixedLength = [first, ...others, last ?? ''].join('').length;
  return {
    hasWildcard: last !== undefined,
    prefixLength: first.length,
    fixedLength,
    takes: (path) => (last === undefined ? path === first : fitsPieces(path, first, others, last)),
  };
}
