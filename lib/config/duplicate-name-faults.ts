import type { ConfigFault } from './config-error.ts';
import { describeValue } from './describe-value.ts';
import { formatPath, type JsonPath } from './json-path.ts';
import type { Placed } from './placed.ts';

/** A fault for every instance whose name an earlier one has: names identify instances in balancer and logs. */
export function duplicateNameFaults(instances: readonly Placed[]): readonly ConfigFault[] {
  const first = new Map<unknown, JsonPath>();
  return instances.flatMap(({ path, object: { name } }) => {
    const earlier = first.get(name);
    const place = [...path, 'name'];
    if (typeof name === 'string' && earlier === undefined) first.set(name, place);
    if (earlier === undefined) return [];
    const shown = describeValue(name, place);
    return [{ path: formatPath(place), message: `is ${shown}, must differ from ${formatPath(earlier)}` }];
  });
}
