import type { ConfigFault } from './config-error.ts';
import { describeValue } from './describe-value.ts';
import { formatPath, type JsonPath } from './json-path.ts';

/** A fault if there is text that has a flaw; what is no text the schema complains about. */
export function textFault(
  value: unknown,
  path: JsonPath,
  findFlaw: (text: string) => string | undefined,
): readonly ConfigFault[] {
  const flaw = typeof value === 'string' ? findFlaw(value) : undefined;
  if (flaw === undefined) return [];
  const shown = describeValue(value, path);
  return [{ path: formatPath(path), message: shown === undefined ? flaw : `is ${shown}, ${flaw}` }];
}
