import { type Ending, type Exchange, endExchange } from '../exchange.ts';
import type { GatewayError } from './gateway-error.ts';

/** A `rejected_code` may be one of those whose answers have no body (RFC 9110 §15). */
const BODILESS_STATUSES: ReadonlySet<number> = new Set([204, 205, 304]);

function endingOf(error: GatewayError): Ending {
  // Its status is the configuration's choice.
  if (error.code === 'quota_exceeded') return 'rejected';
  return error.status === 408 || error.status === 504 ? 'timeout' : 'rejected';
}

/** Leaves a response that has been answered, or has gone: nothing is spliced onto it. */
function leave({ res, tally }: Exchange): void {
  // Without a tally nothing of an upstream's answer has been passed on: what has begun is the host's own answer.
  if (!res.writableEnded && tally !== undefined) res.destroy();
}

/** Answers with an error of the gateway's own, in the shape the client's protocol uses. */
export function answerError(
  exchange: Exchange,
  error: GatewayError,
  extraHeaders: Readonly<Record<string, string>> = {},
): void {
  const { req, res } = exchange;
  if (exchange.ending !== undefined) return;
  if (res.headersSent || res.writableEnded || res.destroyed) {
    endExchange(exchange, 'cut');
    leave(exchange);
    return;
  }
  endExchange(exchange, endingOf(error));
  const body = JSON.stringify(exchange.protocol.errorAnswer(error));
  const hasBody = !BODILESS_STATUSES.has(error.status);
  const headers: Record<string, string> = {
    ...(hasBody && {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
    }),
    ...extraHeaders,
  };
  if (error.retryAfterSeconds !== undefined) headers['retry-after'] = String(error.retryAfterSeconds);
  // The rest of a body that is refused unread must not be taken for the next request.
  if (!req.complete) headers.connection = 'close';
  res.writeHead(error.status, headers);
  res.end(req.method === 'HEAD' || !hasBody ? undefined : body);
}
