import type { IncomingMessage, ServerResponse } from 'node:http';
import { findAdmission } from './admission.ts';
import { answerError } from './answer/answer-error.ts';
import { GatewayError } from './answer/gateway-error.ts';
import { UsageEstimate } from './answer/usage-estimate.ts';
import { type Ending, type Exchange, endExchange, type Next, type ServingPlan } from './exchange.ts';
import { llmVariables, noteRequest, setVariables } from './log/variables.ts';
import { openQuota } from './open-quota.ts';
import { protocols } from './protocols/index.ts';
import { isObject } from './protocols/json.ts';
import { isLargeMember, readSmallMember, scanDocument } from './request/json-document.ts';
import { protocolAt } from './request/protocol-at.ts';
import { readBody } from './request/read-body.ts';
import { protocolOfBody, protocolOfPath } from './request/recognise-protocol.ts';
import { originalUrl, pathOf } from './request/variables.ts';
import { watchConnection } from './request/watch-connection.ts';
import type { ResolvedHost } from './resolve-host.ts';
import { localsOf } from './response-locals.ts';
import { settleQuota } from './settle-quota.ts';
import { GatewayStats } from './stats/gateway-stats.ts';
import { abandon, runAttempts } from './upstream/attempts.ts';

function openExchange(
  plan: ServingPlan,
  req: IncomingMessage,
  res: ServerResponse,
  next: Next | undefined,
  onEnd: Exchange['onEnd'],
): Exchange {
  const path = pathOf(originalUrl(req));
  const endpoint = protocolOfPath(path);
  const locals = localsOf(res);
  const admission = findAdmission(req);
  const quota = admission === undefined ? undefined : openQuota(admission, req, locals);
  return {
    plan,
    req,
    res,
    next,
    locals,
    startedAt: performance.now(),
    endpoint,
    protocol: protocolAt(path, endpoint),
    document: undefined,
    wantsUsage: false,
    streams: false,
    attempts: [],
    out: new Set(),
    tries: 0,
    trying: undefined,
    instance: undefined,
    current: undefined,
    tally: undefined,
    admission,
    quota,
    estimate: quota === undefined ? undefined : new UsageEstimate(),
    consumption: undefined,
    gone: false,
    stopWaiting: undefined,
    ending: undefined,
    hashKey: undefined,
    stopWatching: undefined,
    onEnd,
  };
}

/** A client that leaves ends everything done for it, whatever the phase. */
function watchClient(exchange: Exchange, host: ResolvedHost): void {
  const { req, res } = exchange;
  const leave = (): void => {
    if (exchange.ending !== undefined) return;
    abandon(exchange, host);
    endExchange(exchange, 'client_gone');
  };
  // A middleware in front took longer than the client cared to wait: nothing will say so any more.
  if (res.destroyed || req.socket.destroyed) {
    leave();
    return;
  }
  exchange.stopWatching = watchConnection(req.socket, leave);
  // A time-out middleware of the host's may have answered, over a connection that stays.
  res.prependListener('close', leave);
}

/** Reads what the client sent and finds out what it wants. */
async function receive(exchange: Exchange): Promise<void> {
  const { req, plan } = exchange;
  const bytes = await readBody(req, {
    maxBytes: plan.limits.maxRequestBytes,
    timeoutMs: plan.limits.timeoutMs,
  });
  const document = bytes === undefined ? undefined : scanDocument(bytes);
  exchange.document = document;
  if (document === undefined) {
    if (exchange.protocol.name !== 'passthrough') exchange.protocol = protocols.passthrough;
    return;
  }
  if (exchange.endpoint === undefined) exchange.protocol = protocols[protocolOfBody(document)];
  if (exchange.protocol.usageOnRequest && isLargeMember(document, 'stream_options')) {
    // It is parsed and written again, which holds everything else up.
    throw new GatewayError(400, 'stream_options_too_large', '"stream_options" is larger than 64 KiB.');
  }
  const streamOptions = readSmallMember(document, 'stream_options');
  exchange.wantsUsage = isObject(streamOptions) && streamOptions.include_usage === true;
  noteRequest(exchange, document);
}

function answerFailure(exchange: Exchange, error: unknown, host: ResolvedHost): void {
  if (error instanceof GatewayError) {
    answerError(exchange, error);
    return;
  }
  const name = error instanceof Error ? error.name : 'unknown';
  // A message could quote what the client or the upstream sent; the stack's frames cannot.
  const frames =
    error instanceof Error ? error.stack?.split('\n').filter((line) => /^\s+at /.test(line)) : [];
  host.logger.error({ error: name, frames }, 'the gateway failed');
  exchange.current?.abort();
  answerError(exchange, new GatewayError(500, 'internal_error', 'The gateway failed.'));
}

function traceRefused(): GatewayError {
  return new GatewayError(501, 'method_not_supported', 'TRACE is not passed on.');
}

/** Whether the request may come in at all, before its body is read. */
async function admit(exchange: Exchange): Promise<void> {
  try {
    exchange.plan.admit?.(exchange);
  } catch (error) {
    // A small body comes with the head. Once the parser has been through it, the connection can be kept.
    await new Promise(setImmediate);
    throw error;
  }
}

/** A request's life, in the order in which it happens. */
async function handle(exchange: Exchange, host: ResolvedHost): Promise<void> {
  try {
    watchClient(exchange, host);
    if (exchange.gone) return;
    // It asks to be told what an LLM was sent, credentials included (RFC 9110 §9.3.8).
    if (exchange.req.method === 'TRACE') throw traceRefused();
    if (exchange.plan.admit !== undefined) await admit(exchange);
    await receive(exchange);
    const { plan } = exchange;
    if (plan.select !== undefined && !exchange.gone) exchange.plan = plan.select(exchange);
    if (exchange.quota !== undefined && !exchange.gone) {
      const looking = exchange.quota.look(exchange.plan.names);
      if (looking !== undefined) await looking;
    }
    if (!exchange.gone) await runAttempts(exchange, host);
  } catch (error) {
    answerFailure(exchange, error, host);
  }
}

/** Requests under way, and who waits for the last of them. */
export interface Gateway {
  /** @param plan what this request begins with; by default the one that is current */
  handle(req: IncomingMessage, res: ServerResponse, next?: Next, plan?: ServingPlan): void;
  readonly inFlight: number;
  readonly stats: GatewayStats;
  /** Resolves when no request is under way. */
  idle(): Promise<void>;
}

/** The engine: serves requests by whatever plan is current when they come in. */
export function makeGateway(currentPlan: () => ServingPlan, host: ResolvedHost): Gateway {
  const stats = new GatewayStats();
  let inFlight = 0;
  let waiting: (() => void)[] = [];

  function onEnd(exchange: Exchange, ending: Ending): void {
    settleQuota(exchange, ending);
    stats.count(exchange, ending);
    setVariables(exchange, ending);
    host.onFinish?.(llmVariables(exchange.res));
    inFlight--;
    if (inFlight > 0) return;
    for (const resolve of waiting) resolve();
    waiting = [];
  }

  return {
    handle(req, res, next, plan = currentPlan()) {
      inFlight++;
      void handle(openExchange(plan, req, res, next, onEnd), host);
    },
    stats,
    get inFlight() {
      return inFlight;
    },
    async idle() {
      if (inFlight > 0) await new Promise<void>((resolve) => waiting.push(resolve));
    },
  };
}
