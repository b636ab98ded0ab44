import { createHash } from 'node:crypto';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that start processes and browsers, or wait long: one that comes last would leave all other workers idle. */
const LONG = /\/(?:examples|package|status-page|stores)\/|\/(?:fault-injection|life|time-?outs)\.test\.ts$/;

function place({ moduleId, project }: TestSpecification): string {
  const path = moduleId.slice(project.config.root.length);
  const mixed = createHash('sha1').update(path).digest('hex');
  return `${LONG.test(path) ? 0 : 1}${mixed}`;
}

/**
 * The same order each time, and one without any sense: files that wait for timers lie beside those that compute, not
 * beside their kind, so that the machine is always busy.
 */
export class MixedOrder extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const places = new Map(files.map((file) => [file, place(file)]));
    const placeOf = (file: TestSpecification): string => places.get(file) ?? '';
    return files.toSorted((one, other) => (placeOf(one) < placeOf(other) ? -1 : 1));
  }
}
