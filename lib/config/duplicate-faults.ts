import type { ConfigFault } from './config-error.ts';
import { describeValue } from './describe-value.ts';
import { formatPath, type JsonPath } from './json-path.ts';
import type { Placed } from './placed.ts';

/** A fault for every object of a list in which a field, such as the name it is known by, repeats an earlier one's. */
export function duplicateFaults(items: readonly Placed[], field: string): readonly ConfigFault[] {
  const first = new Map<unknown, JsonPath>();
  return items.flatMap(({ path, object }) => {
    const value = object[field];
    const earlier = first.get(value);
    const place = [...path, field];
    if (typeof value === 'string' && earlier === undefined) first.set(value, place);
    if (earlier === undefined) return [];
    // What things are told apart by is no secret, wherever they stand.
    const shown = describeValue(value, [field]);
    const found = shown === undefined ? '' : `is ${shown}, `;
    return [{ path: formatPath(place), message: `${found}must differ from ${formatPath(earlier)}` }];
  });
}
