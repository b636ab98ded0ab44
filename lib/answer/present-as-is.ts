import type { Exchange } from '../exchange.ts';
import type { Try } from '../upstream/try.ts';
import { answerError } from './answer-error.ts';
import { headerSafe } from './client-headers.ts';
import { failureError } from './failure-errors.ts';
import { HandOver } from './hand-over.ts';
import { isJson } from './make-reader.ts';
import { Relay } from './relay.ts';
import { quotaHeaders } from './spent-instances.ts';

export interface PresentOptions {
  /** A response header that names the instance; `undefined` for none. */
  readonly servedByHeader: string | undefined;
  /** Hands a JSON answer to the next middleware as `req.body` instead of answering the client. */
  readonly passthrough: boolean;
  /** Whether a failure was left without an instance to move on to. */
  isExhausted(exchange: Exchange, tried: Try): boolean;
}

/** Whether an answer is a success with something in it (RFC 9110 §9.3.2, §15.3.5, §15.3.6). */
function hasBody({ req }: Exchange, status: number): boolean {
  return status >= 200 && status < 300 && status !== 204 && status !== 205 && req.method !== 'HEAD';
}

/** Answers the client with what came of the last try as it was: status, headers, body. */
export function presentAsIs(exchange: Exchange, tried: Try, options: PresentOptions): void {
  const { outcome, attempt, instance } = tried;
  const extraHeaders = quotaHeaders(exchange, instance);
  // SDKs would otherwise repeat, each time, all the tries that have just failed.
  if (options.isExhausted(exchange, tried)) extraHeaders['x-should-retry'] = 'false';
  if (outcome.kind !== 'answered' || attempt === undefined) {
    if (outcome.kind !== 'answered') answerError(exchange, failureError(outcome), extraHeaders);
    return;
  }
  if (options.servedByHeader !== undefined) extraHeaders[options.servedByHeader] = headerSafe(instance.name);
  const { status, headers } = outcome.head;
  // Without a next middleware there is nobody but the client to hand it to.
  const { next } = exchange;
  if (options.passthrough && next !== undefined && hasBody(exchange, status) && isJson(headers)) {
    for (const [name, value] of Object.entries(extraHeaders)) exchange.res.setHeader(name, value);
    new HandOver(exchange, attempt, outcome.head, next).start();
  } else {
    new Relay(exchange, attempt, outcome.head, {
      extraHeaders,
      errorHeaders: extraHeaders,
      errorFor: failureError,
    }).start();
  }
}
