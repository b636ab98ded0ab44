import type { AiProxyMultiConfig } from 'ai-proxy-multi';
import { describe, expect, it } from 'vitest';
import { compilePlan } from '../../lib/compile-plan.ts';
import { loadMultiConfig } from '../../lib/config/load-config.ts';
import type { Plan, Verdict } from '../../lib/plan.ts';
import { resolveHost } from '../../lib/resolve-host.ts';
import type { Outcome } from '../../lib/upstream/outcome.ts';
import { instance } from '../support/app.ts';

type Config = Partial<AiProxyMultiConfig>;

function makePlan(config: Config): Plan {
  const host = resolveHost({});
  const full = { instances: [instance('a', 'http://127.0.0.1:1')], ...config };
  return compilePlan(loadMultiConfig(full, host.logger, { hasSecretResolver: false }), host);
}

function verdict(config: Config, outcome: Outcome, { tries = 1, durationMs = 10 } = {}): Verdict {
  return makePlan(config).judge(tries, outcome, durationMs);
}

const answered = (status: number): Outcome => ({
  kind: 'answered',
  head: { status, headers: {} },
  status,
});
const failed = (kind: Exclude<Outcome['kind'], 'answered'>): Outcome => ({ kind, detail: 'E' });

const strategies = {
  unset: {},
  http_429: { fallback_strategy: 'http_429' },
  '[http_429]': { fallback_strategy: ['http_429'] },
  http_5xx: { fallback_strategy: 'http_5xx' },
  '[http_5xx]': { fallback_strategy: ['http_5xx'] },
  'both of them': { fallback_strategy: ['http_429', 'http_5xx'] },
  '[rate_limiting]': { fallback_strategy: ['rate_limiting'] },
  'the quota string': { fallback_strategy: 'instance_health_and_rate_limiting' },
  'statuses 401 and 502': { fallback_http_statuses: [401, 502] },
  'status 504': { fallback_http_statuses: [504] },
  'http_429 and status 401': { fallback_strategy: ['http_429'], fallback_http_statuses: [401] },
} as const satisfies Record<string, Config>;

type StrategyName = keyof typeof strategies;
const strategyNames = Object.keys(strategies).filter((name): name is StrategyName => name in strategies);

/** Which strategies move on after an outcome; all others answer with it. */
const on5xx: readonly StrategyName[] = ['http_5xx', '[http_5xx]', 'both of them'];
const table: readonly { what: string; outcome: Outcome; movesOn: readonly StrategyName[] }[] = [
  ...[200, 201, 204, 302, 304, 400, 403, 404, 408, 413, 422, 499].map((status) => ({
    what: `an answer with ${status}`,
    outcome: answered(status),
    movesOn: [],
  })),
  {
    what: 'an answer with 401',
    outcome: answered(401),
    movesOn: ['statuses 401 and 502', 'http_429 and status 401'],
  },
  {
    what: 'an answer with 429',
    outcome: answered(429),
    movesOn: ['http_429', '[http_429]', 'both of them', 'http_429 and status 401'],
  },
  { what: 'an answer with 500', outcome: answered(500), movesOn: on5xx },
  { what: 'an answer with 502', outcome: answered(502), movesOn: [...on5xx, 'statuses 401 and 502'] },
  { what: 'an answer with 503', outcome: answered(503), movesOn: on5xx },
  { what: 'an answer with 504', outcome: answered(504), movesOn: [...on5xx, 'status 504'] },
  { what: 'an answer with 529', outcome: answered(529), movesOn: on5xx },
  { what: 'an answer with 599', outcome: answered(599), movesOn: on5xx },
  { what: 'a refused connection', outcome: failed('refused'), movesOn: [...on5xx, 'statuses 401 and 502'] },
  { what: 'a reset connection', outcome: failed('reset'), movesOn: [...on5xx, 'statuses 401 and 502'] },
  {
    what: 'an answer that is not HTTP',
    outcome: failed('invalid'),
    movesOn: [...on5xx, 'statuses 401 and 502'],
  },
  { what: 'a time-out', outcome: failed('timed-out'), movesOn: [...on5xx, 'status 504'] },
  { what: 'an answer over max_response_bytes', outcome: failed('too-large'), movesOn: [] },
  { what: 'a stream over max_stream_duration_ms', outcome: failed('too-long'), movesOn: [] },
  { what: 'a client that hung up', outcome: failed('aborted'), movesOn: [] },
];

describe.each(table)('after $what', ({ outcome, movesOn }) => {
  it.each(strategyNames)('knows what to do with the strategy: %s', (name) => {
    expect(verdict(strategies[name], outcome)).toBe(movesOn.includes(name) ? 'next' : 'answer');
  });
});

/** A stream under a 200 whose first event stands for an overload. */
it('goes by the status that the error in a stream stands for, not by the 200 above it', () => {
  const overloaded: Outcome = { kind: 'answered', head: { status: 200, headers: {} }, status: 529 };
  expect(verdict(strategies.http_5xx, overloaded)).toBe('next');
  expect(verdict(strategies.http_429, overloaded)).toBe('answer');
});

describe('the bounds of one request', () => {
  it.each([
    { maxRetries: 0, tries: 1, expected: 'answer' },
    { maxRetries: 1, tries: 1, expected: 'next' },
    { maxRetries: 1, tries: 2, expected: 'answer' },
    { maxRetries: 3, tries: 3, expected: 'next' },
    { maxRetries: 3, tries: 4, expected: 'answer' },
    { maxRetries: undefined, tries: 1000, expected: 'next' },
  ])('max_retries $maxRetries after $tries tries: $expected', ({ maxRetries, tries, expected }) => {
    const config = {
      ...strategies.http_5xx,
      ...(maxRetries === undefined ? {} : { max_retries: maxRetries }),
    };
    expect(verdict(config, answered(500), { tries })).toBe(expected);
  });

  it.each([
    { withinMs: 100, durationMs: 100, expected: 'next' },
    { withinMs: 100, durationMs: 101, expected: 'answer' },
    { withinMs: undefined, durationMs: 600_000, expected: 'next' },
  ])('retry_on_failure_within_ms $withinMs after $durationMs ms: $expected', (row) => {
    const config = {
      ...strategies.http_5xx,
      ...(row.withinMs === undefined ? {} : { retry_on_failure_within_ms: row.withinMs }),
    };
    expect(verdict(config, failed('reset'), { durationMs: row.durationMs })).toBe(row.expected);
  });
});
