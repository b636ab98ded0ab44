import client, { type Registry } from 'prom-client';

type Samples = Readonly<Record<string, number>>;

/** A registry of a test's own. */
export function newRegistry(): Registry {
  return new client.Registry();
}

/**
 * The samples of a metric as they are exported, without its name: `{a="b"}` and the value.
 *
 * @param name with the suffix that a histogram's samples have
 */
export async function samplesOf(registry: Registry, name: string): Promise<Samples> {
  const lines = (await registry.metrics()).split('\n');
  return Object.fromEntries(
    lines
      .filter((line) => line.startsWith(`${name}{`))
      .map((line) => {
        const end = line.lastIndexOf('}') + 1;
        return [line.slice(name.length, end), Number(line.slice(end))];
      }),
  );
}

/** How many series are exported in all. */
export async function countSeries(registry: Registry): Promise<number> {
  const lines = (await registry.metrics()).split('\n');
  return lines.filter((line) => line !== '' && !line.startsWith('#')).length;
}
