import type { ConfigFault } from './config-error.ts';
import { resolveEnvironment } from './environment-references.ts';
import { formatPath } from './json-path.ts';
import type { LoadOptions } from './load-options.ts';
import type { Placed } from './placed.ts';
import { hasSecretReference } from './references.ts';

function findFlaws(text: string, { hasSecretResolver }: LoadOptions): readonly string[] {
  if (hasSecretResolver || !hasSecretReference(text)) return [];
  return ['refers to $secret://, but there is no host.secret to resolve it'];
}

/**
 * Replaces the `$env://` references in one field, in place, and returns what is wrong with its references. What is
 * no string the schema complains about. No message shows a value.
 */
export function fillReferences(
  { path, object }: Placed,
  name: string,
  options: LoadOptions,
): readonly ConfigFault[] {
  const value = object[name];
  if (typeof value !== 'string') return [];
  const resolved = resolveEnvironment(value);
  if ('text' in resolved) object[name] = resolved.text;
  const flaws = 'text' in resolved ? findFlaws(resolved.text, options) : resolved.problems;
  return flaws.map((message) => ({ path: formatPath([...path, name]), message }));
}
