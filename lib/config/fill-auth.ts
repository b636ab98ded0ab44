import type { ConfigFault } from './config-error.ts';
import { resolveEnvironment } from './environment-references.ts';
import { isHeaderValue } from './header-value.ts';
import { formatPath } from './json-path.ts';
import { type Placed, placedField } from './placed.ts';
import { hasSecretReference } from './references.ts';

/** What decides whether a string under `auth` can be used. */
export interface AuthSurroundings {
  /** Whether there is a `host.secret`. */
  readonly hasSecretResolver: boolean;
}

function findFlaws(
  text: string,
  kind: 'header' | 'query',
  { hasSecretResolver }: AuthSurroundings,
): string[] {
  const flaws: string[] = [];
  if (hasSecretReference(text) && !hasSecretResolver) {
    flaws.push('refers to $secret://, but there is no host.secret to resolve it');
  }
  if (kind === 'header' && !isHeaderValue(text)) {
    flaws.push('holds a character that no header may hold, such as a line break');
  }
  return flaws;
}

function fillRecord({ path, object }: Placed, kind: 'header' | 'query', surroundings: AuthSurroundings) {
  return Object.entries(object).flatMap(([name, value]): ConfigFault[] => {
    if (typeof value !== 'string') return [];
    const resolved = resolveEnvironment(value);
    if ('text' in resolved) object[name] = resolved.text;
    const flaws = 'text' in resolved ? findFlaws(resolved.text, kind, surroundings) : resolved.problems;
    return flaws.map((message) => ({ path: formatPath([...path, name]), message }));
  });
}

/**
 * Replaces the `$env://` references in an instance's `auth.header` and `auth.query`, in place, and returns
 * what is wrong with the result. No message shows a value.
 */
export function fillAuth(instance: Placed, surroundings: AuthSurroundings): readonly ConfigFault[] {
  const [auth] = placedField(instance, 'auth');
  if (auth === undefined) return [];
  return [
    ...placedField(auth, 'header').flatMap((record) => fillRecord(record, 'header', surroundings)),
    ...placedField(auth, 'query').flatMap((record) => fillRecord(record, 'query', surroundings)),
  ];
}
