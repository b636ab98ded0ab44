import { type Ending, type Exchange, endExchange } from '../exchange.ts';
import type { GatewayError } from './gateway-error.ts';

function endingOf(error: GatewayError): Ending {
  return error.status === 408 || error.status === 504 ? 'timeout' : 'rejected';
}

/** Answers with an error of the gateway's own, in the shape the client's protocol uses. */
export function answerError(
  exchange: Exchange,
  error: GatewayError,
  extraHeaders: Readonly<Record<string, string>> = {},
): void {
  const { req, res } = exchange;
  if (exchange.ending !== undefined) return;
  endExchange(exchange, endingOf(error));
  if (res.headersSent) {
    res.destroy();
    return;
  }
  const body = JSON.stringify(exchange.protocol.errorAnswer(error));
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    ...extraHeaders,
  };
  if (error.retryAfterSeconds !== undefined) headers['retry-after'] = String(error.retryAfterSeconds);
  // The rest of a body that is refused unread must not be taken for the next request.
  if (!req.complete) headers.connection = 'close';
  res.writeHead(error.status, headers);
  res.end(req.method === 'HEAD' ? undefined : body);
}
