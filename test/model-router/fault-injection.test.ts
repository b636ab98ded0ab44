/**
 * Thousands of requests to upstreams that fail in every way there is, each of them checked against what the upstreams
 * themselves have written down. What an upstream does with a request depends on the seed and the request alone, so a
 * failure can be repeated.
 */
import http from 'node:http';
import type { ModelRouterConfig } from 'ai-proxy-multi';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ownPort } from '../support/own-port.ts';
import { chance } from './chance.ts';
import { ask, inParallel, type Received } from './fault-client.ts';
import { DEED_NAMES, type Done, type FaultyUpstreams, faultyUpstreams, PIECES } from './faulty-upstream.ts';
import { aliasOf, keyFor, modelFor, startRouter } from './started-router.ts';
import { attemptsIn, expectedOf, faultOfCourse, type Rules, seenIn, type Tried } from './verdicts.ts';

const SEED = 20260828;
const REQUESTS = 2000;
const AT_ONCE = 20;

/** Longer than anything takes that does not hang on purpose, on a machine that is busy. */
const TIMES = { timeout: 6000, stream_timeout: 6000 };

const ROUTES: Readonly<Record<string, Rules & { share: number }>> = {
  failover: { share: 0.3, retries: 0, maxFallbacks: 9, on429: true, targets: ['one', 'two', 'dead'] },
  strict: { share: 0.2, retries: 0, maxFallbacks: 9, on429: false, targets: ['two', 'one'] },
  patient: { share: 0.1, retries: 1, maxFallbacks: 9, on429: true, targets: ['one', 'two'] },
  'half-dead': { share: 0.1, retries: 0, maxFallbacks: 9, on429: true, targets: ['dead', 'one'] },
  spread: { share: 0.2, retries: 0, maxFallbacks: 1, on429: true, targets: ['one', 'two', 'dead'] },
  one: { share: 0.1, retries: 0, maxFallbacks: 0, on429: false, targets: ['one'] },
};

function aliasFor(name: string, { targets, retries, on429, maxFallbacks }: Rules) {
  return aliasOf(name, targets, {
    retries,
    max_fallbacks: maxFallbacks,
    retry_on_429: on429,
    ...(name === 'spread' && { strategy: 'round_robin' as const }),
  });
}

async function configFor(upstreams: FaultyUpstreams): Promise<ModelRouterConfig> {
  const [one, two] = [await upstreams.start('one'), await upstreams.start('two')];
  const dead = `http://127.0.0.1:${await ownPort()}`;
  return {
    provider_keys: [keyFor('one', one.url), keyFor('two', two.url), keyFor('dead', dead)],
    models: [
      modelFor('one', TIMES),
      modelFor('two', TIMES),
      modelFor('dead', { ...TIMES, cooldown: { enabled: false } }),
      ...Object.entries(ROUTES).flatMap(([name, rules]) => (name === 'one' ? [] : [aliasFor(name, rules)])),
    ],
  };
}

interface Asked {
  readonly model: string;
  readonly rules: Rules;
  readonly stream: boolean;
  readonly user: string;
}

function askedFor(index: number): Asked {
  let left = chance(SEED, 'route', index);
  const [model, rules] =
    Object.entries(ROUTES).find(([, { share }]) => {
      left -= share;
      return left < 0;
    }) ??
    Object.entries(ROUTES)[0] ??
    [];
  if (model === undefined || rules === undefined) throw new Error('There are no routes');
  return { model, rules, stream: chance(SEED, 'stream', index) < 0.5, user: `r${index}` };
}

function bodyFor({ model, stream, user }: Asked): object {
  return { model, stream, user, messages: [{ role: 'user', content: 'Hi' }] };
}

function keepingAgent(): http.Agent {
  const agent = new http.Agent({ keepAlive: true, maxSockets: AT_ONCE });
  onTestFinished(() => agent.destroy());
  return agent;
}

/** What is wrong with one request, with all there is to say of it; `undefined` where nothing is. */
function faultOf(
  asked: Asked,
  received: Received,
  attempts: unknown,
  done: readonly Done[],
): object | undefined {
  const { tried, skipped } = attemptsIn(attempts);
  const known = tried.filter(({ target }) => target !== 'dead');
  const written = done.map(({ target, deed: { outcome } }): Tried => ({ target, outcome }));
  const last = tried.at(-1);
  const lastDone = last?.target === 'dead' ? undefined : done.at(-1);
  const seen = seenIn(received);
  const expected = expectedOf(last, lastDone, asked, PIECES);
  const course = faultOfCourse(tried, skipped, asked.rules);
  const isRight =
    course === '' &&
    JSON.stringify(known) === JSON.stringify(written) &&
    JSON.stringify(seen) === JSON.stringify(expected);
  const deeds = done.map(({ deed }) => deed.name);
  return isRight ? undefined : { asked, course, known, written, seen, expected, skipped, deeds };
}

/** What `status()` ought to say of a target, by what was written down. */
function countersOf(target: string, done: readonly Done[], replays: number) {
  const own = done.filter((one) => one.target === target);
  const count = (matches: (deed: Done['deed']) => boolean): number =>
    own.filter(({ deed }) => matches(deed)).length;
  const answers = (from: number): number =>
    count(({ outcome }) => typeof outcome === 'number' && outcome >= from && outcome < from + 100);
  return {
    name: target,
    in_flight: 0,
    attempts: own.length,
    answers: { '2xx': answers(200), '3xx': 0, '4xx': answers(400), '5xx': answers(500) },
    failures: {
      refused: 0,
      reset: count(({ failure }) => failure === 'reset'),
      timed_out: count(({ failure }) => failure === 'timed_out'),
      other: count(({ failure }) => failure === 'other'),
    },
    replays,
  };
}

/** Of each target: why it is benched in the end, if it is. */
function benchesAfter(tried: readonly Tried[]): Record<string, string | undefined> {
  const benches: Record<string, string | undefined> = {};
  for (const { target, outcome } of tried) {
    if (outcome === 200) benches[target] = undefined;
    const reason = REASONS[outcome];
    // What a 429 asks for is longer than everything else that follows.
    if (reason !== undefined && benches[target] !== 'upstream_rate_limited') benches[target] = reason;
  }
  return benches;
}

function tally(words: readonly unknown[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of words) counts[String(word)] = (counts[String(word)] ?? 0) + 1;
  return counts;
}

const REASONS: Readonly<Record<string, string>> = {
  429: 'upstream_rate_limited',
  500: 'upstream_server_error',
  upstream_reset: 'transport_error',
  upstream_invalid_answer: 'transport_error',
  upstream_timeout: 'request_timeout',
  upstream_decode_error: 'upstream_decode_error',
};

describe('two thousand requests to upstreams that fail at random', () => {
  it('all end as they should, and are counted as they were', async () => {
    const upstreams = faultyUpstreams(SEED);
    const noted: Tried[] = [];
    const host = { onAttempt: (attempt: object) => noted.push(...attemptsIn([attempt]).tried) };
    const started = await startRouter(await configFor(upstreams), { host });
    const agent = keepingAgent();
    const answers = new Map<string, [Asked, Received]>();
    await inParallel(REQUESTS, AT_ONCE, async (index) => {
      const asked = askedFor(index);
      answers.set(asked.user, [asked, await ask({ port: started.port, agent, body: bodyFor(asked) })]);
    });
    const faults: unknown[] = [];
    for (const { llm_end_user_id: user, llm_attempts: attempts } of await started.ended(REQUESTS)) {
      const [asked, received] = answers.get(String(user)) ?? [];
      if (asked === undefined || received === undefined) faults.push(user);
      else
        faults.push(
          ...[faultOf(asked, received, attempts, upstreams.done.get(asked.user) ?? [])].filter(Boolean),
        );
    }
    expect(faults).toEqual([]);
    const done = [...upstreams.done.values()].flat();
    expect(new Set(done.map(({ deed }) => deed.name))).toEqual(new Set(DEED_NAMES));
    const { in_flight, requests, instances, models } = started.router.status();
    expect(in_flight).toBe(0);
    const endings = started.finished.map(({ llm_outcome }) => llm_outcome);
    expect(requests).toEqual({
      client_gone: 0,
      complete: 0,
      cut: 0,
      timeout: 0,
      rejected: 0,
      ...tally(endings),
    });
    const count = (name: string) => countersOf(name, done, upstreams.stale.get(name) ?? 0);
    const refused = noted.filter(({ target }) => target === 'dead').length;
    expect(instances).toMatchObject([
      count('one'),
      count('two'),
      { name: 'dead', attempts: refused, failures: { refused, reset: 0, timed_out: 0, other: 0 } },
    ]);
    const benches = benchesAfter(noted);
    expect(models.slice(0, 2).map(({ status_reason }) => status_reason)).toEqual([benches.one, benches.two]);
  }, 60_000);
});
