import { createHash } from 'node:crypto';
import type { LoadedRateLimiting, NumberOrTemplate } from './loaded-rate-limiting.ts';

const LENGTH = 12;

type Counted = Pick<LoadedRateLimiting, 'global' | 'instances' | 'rules' | 'strategy'>;

type Line = readonly [id: string, limit: NumberOrTemplate, timeWindow: NumberOrTemplate];

/** Names and keys are unique, so that the order in which somebody wrote them down need not matter. */
function inOrder(lines: readonly Line[]): readonly Line[] {
  return lines.toSorted(([one], [other]) => (one < other ? -1 : 1));
}

/** 12 hexadecimal digits that two configurations share when they count the same in the same way. */
export function fingerprint(counted: Counted, costExpression: string | undefined): string {
  const { global, instances, rules, strategy } = counted;
  const text = JSON.stringify([
    strategy,
    costExpression ?? null,
    global === undefined ? null : [global.limit, global.timeWindow],
    inOrder(instances.map(({ name, limit, timeWindow }) => [name, limit, timeWindow])),
    inOrder(rules.map(({ key, limit, timeWindow }) => [key, limit, timeWindow])),
  ]);
  return createHash('sha256').update(text).digest('hex').slice(0, LENGTH);
}
