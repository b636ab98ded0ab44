import type { ConfigFault } from './config-error.ts';
import { fillReferences } from './fill-references.ts';
import { isHeaderValue } from './header-value.ts';
import { formatPath } from './json-path.ts';
import type { LoadOptions } from './load-options.ts';
import { type Placed, placedField } from './placed.ts';

function headerFaults({ path, object }: Placed, name: string): readonly ConfigFault[] {
  const value = object[name];
  if (typeof value !== 'string' || isHeaderValue(value)) return [];
  const message = 'holds a character that no header may hold, such as a line break';
  return [{ path: formatPath([...path, name]), message }];
}

function fillRecord(
  record: Placed,
  findMore: typeof headerFaults,
  options: LoadOptions,
): readonly ConfigFault[] {
  return Object.keys(record.object).flatMap((name) => [
    ...fillReferences(record, name, options),
    ...findMore(record, name),
  ]);
}

/**
 * Replaces the `$env://` references in an instance's `auth.header` and `auth.query`, in place, and returns
 * what is wrong with the result. No message shows a value.
 */
export function fillAuth(instance: Placed, options: LoadOptions): readonly ConfigFault[] {
  const [auth] = placedField(instance, 'auth');
  if (auth === undefined) return [];
  return [
    ...placedField(auth, 'header').flatMap((record) => fillRecord(record, headerFaults, options)),
    ...placedField(auth, 'query').flatMap((record) => fillRecord(record, () => [], options)),
  ];
}
