import { answerError } from '../answer/answer-error.ts';
import { headerSafe } from '../answer/client-headers.ts';
import { failureError } from '../answer/failure-errors.ts';
import { GatewayError } from '../answer/gateway-error.ts';
import { HandOver } from '../answer/hand-over.ts';
import { liftTimeouts } from '../answer/lift-timeouts.ts';
import { isJson } from '../answer/make-reader.ts';
import { Relay } from '../answer/relay.ts';
import type { Exchange } from '../exchange.ts';
import type { TriedAttempt } from '../host.ts';
import type { Instance, Refusal } from '../plan.ts';
import type { ResolvedHost } from '../resolve-host.ts';
import { within } from '../within.ts';
import { Attempt } from './attempt.ts';
import { buildRequest } from './build-request.ts';
import { type Credentials, withSecrets } from './credentials.ts';
import { discard } from './discard.ts';
import { failureTable } from './failure-table.ts';
import type { Failure, Outcome } from './outcome.ts';
import { CREDENTIAL_HEADERS } from './request-headers.ts';
import type { UpstreamRequest } from './transport.ts';

/** Seconds after which asking again may help, where nothing says better. */
const RETRY_AFTER_SECONDS = 10;

interface Try {
  readonly instance: Instance;
  readonly outcome: Outcome;
  readonly durationMs: number;
  /** `undefined` where nothing could be sent. */
  readonly attempt: Attempt | undefined;
}

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

const RATE_LIMITED: Refusal = 'rate_limited';

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
  exchange.attempts.push({ instance: instance.name, skipped: RATE_LIMITED });
  return undefined;
}

/** The instances that had no quota left for this request. */
function spentInstances({ attempts }: Exchange): readonly string[] {
  return attempts.flatMap((attempt) =>
    'skipped' in attempt && attempt.skipped === RATE_LIMITED ? attempt.instance : [],
  );
}

/** What tells the client its quota: on the instance it is answered from, and on those that had none left. */
function quotaHeaders(exchange: Exchange, answering?: Instance): Record<string, string> {
  if (exchange.quota === undefined) return {};
  const spent = spentInstances(exchange);
  return exchange.quota.headers(answering === undefined ? spent : [...spent, answering.name]);
}

/** Why nothing could be tried at all. */
function noInstance(exchange: Exchange): GatewayError {
  const { plan, protocol, quota } = exchange;
  const spent = spentInstances(exchange);
  if (quota !== undefined && spent.length > 0) return quota.rejection(spent);
  const spoken = new Set(plan.instances.flatMap((instance) => [...instance.routes.keys()]));
  if (spoken.size > 0 && !spoken.has(protocol.name)) {
    const names = [...spoken].filter((name) => name !== 'passthrough').join(', ');
    return new GatewayError(
      400,
      'protocol_not_supported',
      `No instance speaks ${protocol.name}. The instances speak: ${names}.`,
    );
  }
  return new GatewayError(503, 'no_instance_available', 'No LLM service is available now.', {
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
}

async function awaitCredentials(
  { plan }: Exchange,
  instance: Instance,
  found: Promise<Credentials>,
  host: ResolvedHost,
): Promise<Credentials | undefined> {
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
    return undefined;
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
  exchange.trying = { instance, startedAt };
  exchange.instance = instance;
  exchange.current = undefined;
  const found = instance.credentials();
  const credentials =
    found instanceof Promise ? await awaitCredentials(exchange, instance, found, host) : found;
  if (exchange.tries > 0) instance.stats.fallbacks.in++;
  exchange.tries++;
  if (exchange.gone) return unsent(instance, startedAt, 'aborted');
  if (credentials === undefined) {
    instance.stats.countAttempt(startedAt);
    instance.stats.countFailure('no-credentials');
    return unsent(instance, startedAt, 'no-credentials');
  }
  const { request, streams } = buildRequest(exchange, instance, credentials);
  exchange.streams = streams;
  if (streams) liftTimeouts(exchange.req);
  const { plan } = exchange;
  const secrets = secretsIn(request, credentials, exchange, host);
  const attempt = new Attempt(instance, request, secrets, plan.limits, (status) => plan.isFailure(status));
  exchange.current = attempt;
  const outcome = await attempt.outcome;
  return { instance, outcome, durationMs: attempt.durationMs, attempt };
}

function summarise({ instance, outcome, durationMs }: Try): TriedAttempt {
  const duration_ms = Math.round(durationMs);
  if (outcome.kind === 'answered') return { instance: instance.name, status: outcome.status, duration_ms };
  return { instance: instance.name, error: failureTable[outcome.kind].code, duration_ms };
}

/** Answers the client with what came of the last try. */
function present(exchange: Exchange, { outcome, attempt, instance }: Try, host: ResolvedHost): void {
  const extraHeaders = quotaHeaders(exchange, instance);
  // SDKs would otherwise repeat, each time, all the tries that have just failed.
  if (exchange.exhausted) extraHeaders['x-should-retry'] = 'false';
  if (outcome.kind !== 'answered' || attempt === undefined) {
    if (outcome.kind !== 'answered') answerError(exchange, failureError(outcome), extraHeaders);
    return;
  }
  if (host.servedByHeader !== undefined) extraHeaders[host.servedByHeader] = headerSafe(instance.name);
  const { status, headers } = outcome.head;
  // Without a next middleware there is nobody but the client to hand it to.
  const { next } = exchange;
  if (exchange.plan.passthrough && next !== undefined && status >= 200 && status < 300 && isJson(headers)) {
    for (const [name, value] of Object.entries(extraHeaders)) exchange.res.setHeader(name, value);
    new HandOver(exchange, attempt, outcome.head, next).start();
  } else {
    new Relay(exchange, attempt, outcome.head, extraHeaders).start();
  }
}

/** Says once what came of an attempt, to whoever listens. */
function note(exchange: Exchange, tried: Try, host: ResolvedHost): void {
  if (exchange.trying === undefined) return;
  exchange.trying = undefined;
  const record = summarise(tried);
  const { status, error } = record;
  if (status !== undefined && status >= 400) tried.instance.stats.noteError({ status });
  else if (error !== undefined && tried.outcome.kind !== 'aborted') tried.instance.stats.noteError({ error });
  exchange.attempts.push(record);
  host.onAttempt?.(record);
}

/** Failures already in the log, in their own words, or nobody's. */
const NOT_LOGGED: ReadonlySet<Outcome['kind']> = new Set(['no-credentials', 'aborted']);

/** A failed answer says itself what was wrong; of a failed connection only the log can tell. */
function logFailure({ instance, outcome }: Try, movesOn: boolean, host: ResolvedHost): void {
  if (outcome.kind === 'answered' || NOT_LOGGED.has(outcome.kind)) return;
  host.logger.warn(
    { instance: instance.name, error: failureTable[outcome.kind].code, detail: outcome.detail },
    movesOn
      ? 'an instance failed; the request moves on to the next'
      : 'an instance failed; its failure is the answer',
  );
}

function letGo({ outcome, attempt, instance }: Try, host: ResolvedHost): void {
  instance.stats.fallbacks.out++;
  if (outcome.kind === 'answered' && attempt !== undefined) discard(attempt, outcome.status, host.logger);
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
  current?.abort();
}

/** Whether a failure was the last of all instances, also where `max_retries` would have ended it with that one. */
function isExhausted(exchange: Exchange, outcome: Outcome): boolean {
  const { plan, out } = exchange;
  const failed = plan.judge(0, outcome, 0) === 'next';
  return failed && !plan.hasNext((other) => out.has(other) || plan.refusal(exchange, other) !== undefined);
}

/** Tries instances until one answers well enough, or none is left, and answers the client. */
export async function runAttempts(exchange: Exchange, host: ResolvedHost): Promise<void> {
  let instance = nextInstance(exchange);
  if (instance === undefined) return answerError(exchange, noInstance(exchange), quotaHeaders(exchange));
  for (;;) {
    const tried = await tryInstance(exchange, instance, host);
    if (exchange.gone) return;
    note(exchange, tried, host);
    const movesOn = exchange.plan.judge(exchange.tries, tried.outcome, tried.durationMs) === 'next';
    instance = movesOn ? nextInstance(exchange) : undefined;
    logFailure(tried, instance !== undefined, host);
    if (instance === undefined) {
      exchange.exhausted = isExhausted(exchange, tried.outcome);
      return present(exchange, tried, host);
    }
    letGo(tried, host);
  }
}
