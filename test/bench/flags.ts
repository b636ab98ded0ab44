import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

export interface Flags {
  rounds: number;
  warmup: number;
  durationMs: number;
  json: boolean;
  /** Groups of measures to run; empty: all. */
  only: string[];
  library: string;
  compare: string | undefined;
  profile: string | undefined;
}

export const USAGE = `npm run bench -- [flags]
  --only small,stream   groups of measures: small fallback quota consumers 64k 1m stream paced rss latency
  --rounds N            rounds that count (7)
  --warmup N            rounds before, not counted (3)
  --duration MS         how long a round loads a gateway with one measure (800)
  --json                figures of every round, instead of tables
  --lib PATH            built entry of the library (dist/index.js)
  --compare PATH        another build of it, as a second column
  --profile DIR         leaves a CPU profile of each gateway in DIR
  --help`;

function countOf(flag: string, value: string, least: number): number {
  const count = Number(value);
  if (Number.isInteger(count) && count >= least) return count;
  throw new Error(`--${flag} ${value}: an integer, at least ${least}`);
}

/** `undefined` when help was asked for; throws on a flag that does not exist. */
export function readFlags(args: string[]): Flags | undefined {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: 'string', default: '7' },
      warmup: { type: 'string', default: '3' },
      duration: { type: 'string', default: '800' },
      json: { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
      lib: { type: 'string', default: fileURLToPath(new URL('../../dist/index.js', import.meta.url)) },
      compare: { type: 'string' },
      profile: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  return {
    rounds: countOf('rounds', values.rounds, 1),
    warmup: countOf('warmup', values.warmup, 0),
    durationMs: countOf('duration', values.duration, 1),
    json: values.json,
    only: values.only.split(',').filter((group) => group !== ''),
    library: resolve(values.lib),
    compare: values.compare === undefined ? undefined : resolve(values.compare),
    profile: values.profile === undefined ? undefined : resolve(values.profile),
  };
}
