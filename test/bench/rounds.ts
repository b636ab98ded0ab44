import type { Gateway } from './gateways.ts';
import type { Measure } from './measures.ts';

/** Per measure, per gateway's name: one figure a round. */
export type Results = Map<Measure, Map<string, number[]>>;

export interface Rounds {
  warmup: number;
  rounds: number;
  durationMs: number;
  say(line: string): void;
}

/** Another gateway goes first each time: whoever is first may find the one before still busy. */
function rotated<T>(values: readonly T[], by: number): T[] {
  const start = by % values.length;
  return [...values.slice(start), ...values.slice(0, start)];
}

/** Runs one measure on all gateways, in turns, and gives a figure per gateway's name. */
async function runMeasure(
  measure: Measure,
  gateways: readonly Gateway[],
  round: number,
  durationMs: number,
): Promise<Map<string, number>> {
  const running = gateways
    .filter((gateway) => measure.runsOn(gateway))
    .map((gateway) => ({ name: gateway.name, session: measure.start(gateway) }));
  for (let turn = 0; turn < measure.turns; turn++) {
    for (const { name, session } of rotated(running, round + turn)) {
      try {
        await session.run(durationMs / measure.turns);
      } catch (cause) {
        throw new Error(`${name}, ${measure.title}`, { cause });
      }
    }
  }
  for (const { session } of running) await session.close();
  return new Map(running.map(({ name, session }) => [name, session.figure()]));
}

/** Measures every gateway in every round, after warm-up rounds that let V8 compile and are not counted. */
export async function runRounds(
  gateways: readonly Gateway[],
  measures: readonly Measure[],
  { warmup, rounds, durationMs, say }: Rounds,
): Promise<Results> {
  // What starts a process of its own warms it up itself.
  const warmable = measures.filter((measure) => measure.table !== 'memory');
  for (let round = 0; round < warmup; round++) {
    say(`warm-up ${round + 1} of ${warmup}`);
    for (const measure of warmable) await runMeasure(measure, gateways, round, durationMs);
  }

  const results: Results = new Map();
  for (let round = 0; round < rounds; round++) {
    say(`round ${round + 1} of ${rounds}`);
    for (const measure of measures) {
      if (round >= measure.maxRounds) continue;
      const figures = results.get(measure) ?? new Map<string, number[]>();
      results.set(measure, figures);
      for (const [name, figure] of await runMeasure(measure, gateways, round, durationMs)) {
        figures.set(name, [...(figures.get(name) ?? []), figure]);
      }
    }
  }
  return results;
}
