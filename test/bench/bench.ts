import { availableParallelism } from 'node:os';
import { type Flags, readFlags, USAGE } from './flags.ts';
import { type Gateway, gatewayKinds, startUpstream } from './gateways.ts';
import { type Measure, measures } from './measures.ts';
import { markdownOf, rowsOf } from './report.ts';
import { runRounds } from './rounds.ts';
import { verify } from './verify.ts';

const say = (line: string): boolean => process.stderr.write(`${line}\n`);

/** The measures of these groups, and those they are compared with. */
function select(only: readonly string[]): Measure[] {
  const groups = new Set(measures.map(({ group }) => group));
  const unknown = only.filter((group) => !groups.has(group));
  if (unknown.length > 0) throw new Error(`--only ${unknown.join()}: known are ${[...groups].join(' ')}`);

  const chosen = measures.filter(({ group }) => only.length === 0 || only.includes(group));
  const peers = new Set(chosen.map(({ comparedWith }) => comparedWith));
  return measures.filter((measure) => chosen.includes(measure) || peers.has(measure.title));
}

async function bench(flags: Flags): Promise<void> {
  const selected = select(flags.only);
  const upstream = await startUpstream();
  const gateways: Gateway[] = [];
  try {
    for (const kind of gatewayKinds({ ...flags, upstream })) {
      gateways.push({ ...kind, child: await kind.start() });
    }
    for (const gateway of gateways) await verify(gateway);
    const rows = rowsOf(await runRounds(gateways, selected, { ...flags, say }), gateways);
    const setting = `Node ${process.version}, ${availableParallelism()} cores, medians of ${flags.rounds} interleaved rounds`;
    console.log(
      flags.json ? JSON.stringify({ setting, rows }, null, 2) : `${setting}\n\n${markdownOf(rows, gateways)}`,
    );
  } finally {
    await Promise.all([...gateways.map(({ child }) => child.stop()), upstream.stop()]);
  }
}

const flags = readFlags(process.argv.slice(2));
if (flags === undefined) console.log(USAGE);
else await bench(flags);
