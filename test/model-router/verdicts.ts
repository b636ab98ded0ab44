import { isObject, objectsIn } from '../../lib/protocols/json.ts';
import type { Received } from './fault-client.ts';
import type { Done } from './faulty-upstream.ts';

/** What is configured of a name that requests are sent to. */
export interface Rules {
  /** Further tries of each target. */
  readonly retries: number;
  readonly maxFallbacks: number;
  readonly on429: boolean;
  readonly targets: readonly string[];
}

/** One entry of `llm_attempts`. */
export interface Tried {
  readonly target: string;
  /** A status, or an error. */
  readonly outcome: number | string;
}

/** The tries in `llm_attempts`, and the targets that it says were passed over. */
export function attemptsIn(attempts: unknown): { tried: readonly Tried[]; skipped: readonly string[] } {
  const records = objectsIn(attempts);
  return {
    tried: records
      .filter(({ skipped }) => skipped === undefined)
      .map(({ instance, status, error }) => ({
        target: String(instance),
        outcome: typeof status === 'number' ? status : String(error),
      })),
    skipped: records
      .filter(({ skipped }) => skipped !== undefined)
      .map(({ instance, skipped }) => {
        if (skipped !== 'cooldown') throw new Error(`Passed over: ${skipped}`);
        return String(instance);
      }),
  };
}

/** Whether another try may mend it. */
function isRetryable(outcome: number | string, { on429 }: Rules): boolean {
  if (typeof outcome === 'string') return true;
  return outcome === 429 ? on429 : outcome >= 500;
}

/** The tries of one target after another. */
function turnsOf(tried: readonly Tried[]): readonly (readonly Tried[])[] {
  const turns: Tried[][] = [];
  for (const one of tried) {
    const last = turns.at(-1);
    if (last?.[0]?.target === one.target) last.push(one);
    else turns.push([one]);
  }
  return turns;
}

/** What is wrong with how a request went on from one try to the next; '' where nothing is. */
export function faultOfCourse(tried: readonly Tried[], skipped: readonly string[], rules: Rules): string {
  const turns = turnsOf(tried);
  const targets = turns.map(([first]) => first?.target ?? '');
  if (new Set(targets).size !== targets.length) return 'came back to a target';
  if (targets.length > rules.maxFallbacks + 1) return 'tried too many targets';
  if (tried.slice(0, -1).some(({ outcome }) => !isRetryable(outcome, rules))) return 'went on for nothing';
  if (turns.some((turn) => turn.length > rules.retries + 1)) return 'tried a target too often';
  if (turns.slice(0, -1).some((turn) => turn.length < rules.retries + 1)) return 'left a target too early';
  const last = tried.at(-1);
  if (last === undefined) return 'tried nothing';
  if (!isRetryable(last.outcome, rules)) return '';
  if ((turns.at(-1)?.length ?? 0) < rules.retries + 1) return 'gave up a target too early';
  const isLeft = rules.targets.some((target) => !targets.includes(target) && !skipped.includes(target));
  return isLeft && targets.length <= rules.maxFallbacks ? 'gave up too early' : '';
}

/** Status and `type` of the router's own answer, by what came of the last try. */
function refusalFor(outcome: number | string): readonly [status: number, type: string] {
  if (typeof outcome === 'number') return [outcome >= 500 ? 502 : outcome, 'upstream_error'];
  if (outcome === 'upstream_timeout') return [504, 'timeout'];
  return [502, outcome === 'upstream_decode_error' ? outcome : 'transport_error'];
}

/** Everything that a caller can see of the answers. */
export interface Seen {
  readonly status: number;
  readonly type: unknown;
  readonly ending: 'whole' | 'cut';
  /** The upstreams' marks in it, each as often as it is there. */
  readonly marks: readonly string[];
  readonly models: readonly string[];
}

const MARK = /<[^<>]*>/g;
const MODEL = /"model":"([^"]*)"/g;
const ERROR_EVENT = /\nevent: error\ndata: \{[^\n]*\}\n\n$/;

function typeIn(text: string): unknown {
  const json: unknown = JSON.parse(text);
  return isObject(json) && isObject(json.error) ? json.error.type : undefined;
}

export function seenIn({ status, text, isWhole }: Received): Seen {
  const isCut = !isWhole && ERROR_EVENT.test(text) && !text.includes('[DONE]');
  if (!isWhole && !isCut) throw new Error(`Neither whole nor cut as it should be: ${text}`);
  return {
    status,
    type: status >= 400 ? typeIn(text) : undefined,
    ending: isCut ? 'cut' : 'whole',
    marks: text.match(MARK) ?? [],
    models: [...new Set([...text.matchAll(MODEL)].map(([, model]) => model ?? ''))],
  };
}

/**
 * What a caller ought to see.
 *
 * @param done the last thing that an upstream did for the request; `undefined` where none got it
 */
export function expectedOf(
  last: Tried | undefined,
  done: Done | undefined,
  asked: { readonly model: string; readonly stream: boolean },
  pieces: number,
): Seen {
  const outcome = last?.outcome ?? 'upstream_unreachable';
  if (typeof outcome === 'string' || outcome >= 400) {
    const [status, type] = refusalFor(outcome);
    // A client's error is said in the upstream's words, one at the beginning of a stream too.
    const marks = status < 500 && done !== undefined ? [done.mark] : [];
    return { status, type, ending: 'whole', marks, models: [] };
  }
  const isCut = done?.deed.isCut === true;
  return {
    status: 200,
    type: undefined,
    ending: isCut ? 'cut' : 'whole',
    marks: Array(isCut ? 2 : pieces).fill(done?.mark),
    models: [asked.model],
  };
}
