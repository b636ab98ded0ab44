import { answerError } from '../answer/answer-error.ts';
import { liftTimeouts } from '../answer/lift-timeouts.ts';
import { quotaHeaders } from '../answer/spent-instances.ts';
import type { Exchange } from '../exchange.ts';
import type { TriedAttempt } from '../host.ts';
import type { Instance, Refusal } from '../plan.ts';
import type { ResolvedHost } from '../resolve-host.ts';
import { within } from '../within.ts';
import { Attempt } from './attempt.ts';
import { buildRequest } from './build-request.ts';
import { type Credentials, NoCredentialsError, withSecrets } from './credentials.ts';
import { discard } from './discard.ts';
import { failureTable } from './failure-table.ts';
import type { Failure, Outcome } from './outcome.ts';
import { CREDENTIAL_HEADERS } from './request-headers.ts';
import type { UpstreamRequest } from './transport.ts';
import type { Try } from './try.ts';

/** Whether an instance must not be picked; one that is passed over for the first time is noted with the reason. */
function isOut(exchange: Exchange, instance: Instance): boolean {
  const { plan, out, attempts } = exchange;
  if (out.has(instance)) return true;
  const reason = plan.refusal(exchange, instance);
  if (reason === undefined) return false;
  out.add(instance);
  attempts.push({ instance: instance.name, skipped: reason });
  return true;
}

/**
 * The next instance that may be tried. Those that may not are out before one is picked: a turn spent on them
 * would be missing in their share of the requests they can serve.
 */
function nextInstance(exchange: Exchange): Instance | undefined {
  const instance = exchange.plan.next(exchange, (candidate) => isOut(exchange, candidate));
  if (instance === undefined) return undefined;
  exchange.out.add(instance);
  if (exchange.quota?.isSpent(instance.name) !== true) return instance;
  // A plan that does not pass over spent instances has given this one its turn: the request ends here.
  exchange.attempts.push({ instance: instance.name, skipped: 'rate_limited' satisfies Refusal });
  return undefined;
}

type NoCredentials = Extract<Failure['kind'], 'no-credentials' | 'unresolved-credentials'>;

async function awaitCredentials(
  { plan }: Exchange,
  instance: Instance,
  found: Promise<Credentials>,
  host: ResolvedHost,
): Promise<Credentials | NoCredentials> {
  try {
    const { timeoutMs } = plan.limits;
    // A host's function may never answer.
    return await within(timeoutMs, found, `no answer for ${timeoutMs} ms`);
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'unknown';
    host.logger.error(
      { instance: instance.name, reason },
      'the credentials of an instance cannot be resolved',
    );
    return error instanceof NoCredentialsError ? 'no-credentials' : 'unresolved-credentials';
  }
}

/** The credentials, and the caller's own where `host.forwardHeaders` lets them into the request. */
function secretsIn(
  { headers }: UpstreamRequest,
  { secrets }: Credentials,
  { admission }: Exchange,
  host: ResolvedHost,
) {
  if (host.forwardHeaders === false) return secrets;
  const names = [...CREDENTIAL_HEADERS, ...(admission?.credentialHeaders ?? [])];
  return withSecrets(
    secrets,
    names.flatMap((name) => headers[name] ?? []),
  );
}

/** A try of which nothing was sent. */
function unsent(instance: Instance, startedAt: number, kind: Failure['kind']): Try {
  const durationMs = performance.now() - startedAt;
  return { instance, outcome: { kind, detail: 'credentials' }, durationMs, attempt: undefined };
}

async function tryInstance(exchange: Exchange, instance: Instance, host: ResolvedHost): Promise<Try> {
  const startedAt = performance.now();
  const movesHere = exchange.instance !== undefined && exchange.instance !== instance;
  exchange.trying = { instance, startedAt };
  exchange.instance = instance;
  exchange.current = undefined;
  const route = instance.routes.get(exchange.protocol.name);
  const found = (route?.credentials ?? instance.credentials)();
  const credentials =
    found instanceof Promise ? await awaitCredentials(exchange, instance, found, host) : found;
  if (movesHere) instance.stats.fallbacks.in++;
  exchange.tries++;
  if (exchange.gone) return unsent(instance, startedAt, 'aborted');
  if (typeof credentials === 'string') {
    instance.stats.countAttempt(startedAt);
    instance.stats.countFailure(credentials);
    return unsent(instance, startedAt, credentials);
  }
  const { request, streams } = buildRequest(exchange, instance, credentials);
  exchange.streams = streams;
  if (streams) liftTimeouts(exchange.req);
  const { plan } = exchange;
  const secrets = secretsIn(request, credentials, exchange, host);
  const attempt = new Attempt(instance, request, secrets, plan.attemptRules(instance, streams), plan);
  exchange.current = attempt;
  const outcome = await attempt.outcome;
  return { instance, outcome, durationMs: attempt.durationMs, attempt };
}

function summarise({ instance, outcome, durationMs }: Try): TriedAttempt {
  const duration_ms = Math.round(durationMs);
  if (outcome.kind === 'answered') return { instance: instance.name, status: outcome.status, duration_ms };
  return { instance: instance.name, error: failureTable[outcome.kind].code, duration_ms };
}

/** Says once what came of an attempt, to whoever listens. */
function note(exchange: Exchange, tried: Try, host: ResolvedHost): void {
  if (exchange.trying === undefined) return;
  exchange.trying = undefined;
  const record = summarise(tried);
  const { status, error } = record;
  if (status !== undefined && status >= 400) tried.instance.stats.noteError({ status });
  else if (error !== undefined && tried.outcome.kind !== 'aborted') tried.instance.stats.noteError({ error });
  tried.instance.cooldown?.note(tried.outcome, Date.now());
  exchange.attempts.push(record);
  host.onAttempt?.(record);
}

/** What comes of a request whose try has failed. */
function whatFollows(failed: Instance, next: Instance | undefined): string {
  if (next === undefined) return 'an instance failed; its failure is the answer';
  return next === failed
    ? 'an instance failed; it is tried again'
    : 'an instance failed; the request moves on';
}

/** Failures already in the log, in their own words, or nobody's. */
const NOT_LOGGED: ReadonlySet<Outcome['kind']> = new Set([
  'no-credentials',
  'unresolved-credentials',
  'aborted',
]);

/** A failed answer says itself what was wrong; of a failed connection only the log can tell. */
function logFailure({ instance, outcome }: Try, next: Instance | undefined, host: ResolvedHost): void {
  if (outcome.kind === 'answered' || NOT_LOGGED.has(outcome.kind)) return;
  host.logger.warn(
    { instance: instance.name, error: failureTable[outcome.kind].code, detail: outcome.detail },
    whatFollows(instance, next),
  );
}

function letGo({ outcome, attempt, instance }: Try, next: Instance, host: ResolvedHost): void {
  if (next !== instance) instance.stats.fallbacks.out++;
  if (outcome.kind === 'answered' && attempt !== undefined)
    discard(attempt, outcome.status, host.logger, whatFollows(instance, next));
}

/** Drops everything for a client that has gone. An attempt nothing came of is noted before the log is written. */
export function abandon(exchange: Exchange, host: ResolvedHost): void {
  exchange.gone = true;
  const { trying, current } = exchange;
  if (trying !== undefined) {
    const durationMs = performance.now() - trying.startedAt;
    const outcome = { kind: 'aborted', detail: 'ABORTED' } as const;
    note(exchange, { instance: trying.instance, outcome, durationMs, attempt: current }, host);
  }
  exchange.stopWaiting?.();
  current?.abort();
}

/** Waits before an instance is tried again, unless the client leaves first. */
async function waitAgain(exchange: Exchange, delayMs: number): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, delayMs);
    exchange.stopWaiting = () => {
      clearTimeout(timer);
      resolve();
    };
  });
  exchange.stopWaiting = undefined;
}

/** Tries instances until one answers well enough, or none is left, and answers the client. */
export async function runAttempts(exchange: Exchange, host: ResolvedHost): Promise<void> {
  const { plan } = exchange;
  let instance = nextInstance(exchange);
  if (instance === undefined) {
    answerError(exchange, plan.refuse(exchange), quotaHeaders(exchange));
    return;
  }
  for (;;) {
    const tried = await tryInstance(exchange, instance, host);
    if (exchange.gone) return;
    note(exchange, tried, host);
    const verdict = plan.judge(exchange.tries, tried.outcome, tried.durationMs);
    if (verdict === 'answer') instance = undefined;
    else if (verdict === 'next') instance = nextInstance(exchange);
    logFailure(tried, instance, host);
    if (instance === undefined) {
      await plan.present(exchange, tried);
      return;
    }
    letGo(tried, instance, host);
    // What it had answered is nobody's any more, also where the client leaves before the next try.
    exchange.current = undefined;
    if (typeof verdict === 'object') await waitAgain(exchange, verdict.againAfterMs);
    if (exchange.gone) return;
  }
}
