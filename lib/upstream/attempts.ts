import { answerError } from '../answer/answer-error.ts';
import { headerSafe } from '../answer/client-headers.ts';
import { failureError } from '../answer/failure-errors.ts';
import { GatewayError } from '../answer/gateway-error.ts';
import { HandOver } from '../answer/hand-over.ts';
import { isJson } from '../answer/make-reader.ts';
import { Relay } from '../answer/relay.ts';
import type { Exchange } from '../exchange.ts';
import type { AttemptRecord } from '../host.ts';
import type { Instance } from '../plan.ts';
import type { ResolvedHost } from '../resolve-host.ts';
import { Attempt } from './attempt.ts';
import { buildRequest } from './build-request.ts';
import type { Credentials } from './credentials.ts';
import { discard } from './discard.ts';
import type { Outcome } from './outcome.ts';

/** Seconds after which asking again may help, where nothing says better. */
const RETRY_AFTER_SECONDS = 10;

interface Try {
  readonly instance: Instance;
  readonly outcome: Outcome;
  readonly durationMs: number;
  /** `undefined` where nothing could be sent. */
  readonly attempt: Attempt | undefined;
}

/** The next instance that may be tried; those passed over on the way are noted with the reason. */
function nextInstance(exchange: Exchange): Instance | undefined {
  const { plan, out } = exchange;
  const isOut = (candidate: Instance): boolean => out.has(candidate);
  for (;;) {
    const instance = plan.next(exchange, isOut);
    if (instance === undefined) return undefined;
    out.add(instance);
    const reason = plan.refusal(exchange, instance);
    if (reason === undefined) return instance;
    exchange.attempts.push({ instance: instance.name, skipped: reason });
  }
}

/** Why nothing could be tried at all. */
function noInstance(exchange: Exchange): GatewayError {
  const { plan, protocol } = exchange;
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

async function findCredentials(instance: Instance, host: ResolvedHost): Promise<Credentials | undefined> {
  try {
    return await instance.credentials();
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'unknown';
    host.logger.error(
      { instance: instance.name, reason },
      'the credentials of an instance cannot be resolved',
    );
    return undefined;
  }
}

async function tryInstance(exchange: Exchange, instance: Instance, host: ResolvedHost): Promise<Try> {
  const found = instance.credentials();
  const credentials = found instanceof Promise ? await findCredentials(instance, host) : found;
  exchange.tries++;
  if (credentials === undefined || exchange.gone) {
    const kind = exchange.gone ? 'aborted' : 'refused';
    return { instance, outcome: { kind, detail: 'credentials' }, durationMs: 0, attempt: undefined };
  }
  const { request, streams } = buildRequest(exchange, instance, credentials);
  exchange.streams = streams;
  const { plan } = exchange;
  const attempt = new Attempt(instance, request, credentials.secrets, plan.limits, (status) =>
    plan.isFailure(status),
  );
  exchange.current = attempt;
  const outcome = await attempt.outcome;
  return { instance, outcome, durationMs: attempt.durationMs, attempt };
}

function summarise({ instance, outcome, durationMs }: Try): AttemptRecord {
  const record = { instance: instance.name, duration_ms: Math.round(durationMs) };
  if (outcome.kind === 'answered') return { ...record, status: outcome.status };
  return { ...record, error: failureError(outcome).code };
}

/** Answers the client with what came of the last try. */
function present(exchange: Exchange, { outcome, attempt, instance }: Try, host: ResolvedHost): void {
  const extraHeaders: Record<string, string> = {};
  // SDKs would otherwise repeat, each time, all the tries that have just failed.
  if (exchange.exhausted) extraHeaders['x-should-retry'] = 'false';
  if (outcome.kind !== 'answered' || attempt === undefined) {
    if (outcome.kind !== 'answered') answerError(exchange, failureError(outcome), extraHeaders);
    return;
  }
  if (host.servedByHeader !== undefined) extraHeaders[host.servedByHeader] = headerSafe(instance.name);
  const { status, headers } = outcome.head;
  if (exchange.plan.passthrough && status >= 200 && status < 300 && isJson(headers)) {
    new HandOver(exchange, attempt).start();
  } else {
    new Relay(exchange, attempt, outcome.head, extraHeaders).start();
  }
}

function letGo(failed: Try, host: ResolvedHost): void {
  const { outcome, attempt, instance } = failed;
  instance.counters.fallbacks++;
  if (outcome.kind === 'answered') {
    if (attempt !== undefined) discard(attempt, outcome.status, host.logger);
    return;
  }
  host.logger.warn(
    { instance: instance.name, error: failureError(outcome).code, detail: outcome.detail },
    'an instance failed; the request moves on to the next',
  );
}

/** Tries instances until one answers well enough, or none is left, and answers the client. */
export async function runAttempts(exchange: Exchange, host: ResolvedHost): Promise<void> {
  let instance = nextInstance(exchange);
  if (instance === undefined) return answerError(exchange, noInstance(exchange));
  for (;;) {
    const tried = await tryInstance(exchange, instance, host);
    if (exchange.gone) return;
    const record = summarise(tried);
    exchange.attempts.push(record);
    host.onAttempt(record);
    const movesOn = exchange.plan.judge(exchange, tried.outcome, tried.durationMs) === 'next';
    instance = movesOn ? nextInstance(exchange) : undefined;
    if (instance === undefined) {
      exchange.exhausted = movesOn;
      return present(exchange, tried, host);
    }
    letGo(tried, host);
  }
}
