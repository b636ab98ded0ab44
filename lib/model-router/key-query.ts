/** Everybody knows which versions there are. */
const PUBLIC_NAMES: ReadonlySet<string> = new Set(['api-version']);

/** A shorter one is no secret, and hiding it would hide words that only look like it. */
const SHORTEST_SECRET = 8;

/** Whether a parameter in the query of an `api_base` is to be taken for a credential. */
export function isSecretParameter(name: string, value: string): boolean {
  return !PUBLIC_NAMES.has(name.toLowerCase()) && value.length >= SHORTEST_SECRET;
}

export interface KeyQuery {
  /** What may be seen, as it stands in a URL. */
  readonly plain: string;
  /** By name. */
  readonly secret: Readonly<Record<string, string>>;
}

const NO_QUERY: KeyQuery = { plain: '', secret: {} };

/** Parts the query of an `api_base`, without its question mark. */
export function keyQuery(query = ''): KeyQuery {
  if (query === '') return NO_QUERY;
  const pairs = [...new URLSearchParams(query)];
  if (!pairs.some(([name, value]) => isSecretParameter(name, value))) return { plain: query, secret: {} };
  return {
    plain: new URLSearchParams(pairs.filter(([name, value]) => !isSecretParameter(name, value))).toString(),
    secret: Object.fromEntries(pairs.filter(([name, value]) => isSecretParameter(name, value))),
  };
}
