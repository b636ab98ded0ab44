import type { ConfigFault } from './config-error.ts';
import { describeValue } from './describe-value.ts';
import { formatPath } from './json-path.ts';
import type { Placed } from './placed.ts';

/** A fault for every object of a list in which a field, such as the name it is known by, repeats an earlier one's. */
export function duplicateFaults(items: readonly Placed[], field: string): readonly ConfigFault[] {
  const first = new Map<string, Placed>();
  const faults: ConfigFault[] = [];
  for (const item of items) {
    const value = item.object[field];
    if (typeof value !== 'string') continue;
    const earlier = first.get(value);
    if (earlier === undefined) first.set(value, item);
    else faults.push(fault(item, earlier, field));
  }
  return faults;
}

function fault(item: Placed, earlier: Placed, field: string): ConfigFault {
  // What things are told apart by is no secret, wherever they stand, unless its name says so.
  const shown = describeValue(item.object[field], [field]);
  const found = shown === undefined ? '' : `is ${shown}, `;
  const message = `${found}must differ from ${formatPath([...earlier.path, field])}`;
  return { path: formatPath([...item.path, field]), message };
}
