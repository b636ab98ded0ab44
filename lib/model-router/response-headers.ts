import type { Exchange } from '../exchange.ts';
import type { ServedModel } from './compile-model.ts';
import type { RouterHost } from './router-host.ts';

/** Visible ASCII, and spaces between: what a header can say without being encoded. */
const SENDABLE = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

/** What an answer is to say of itself. */
export interface Served {
  readonly model: Pick<ServedModel, 'isAlias'>;
  readonly status: number;
  /** The name of the target. */
  readonly servedBy: string;
  readonly callId: string;
}

/** What an answer that is no error says of how it was served: of a redirect, only the request's id. */
export function responseHeaders(
  { protocol }: Exchange,
  { model: { isAlias }, status, servedBy, callId }: Served,
  { servedByHeader, callIdHeader, requestIdHeader, logger }: RouterHost,
): Record<string, string> {
  const headers: Record<string, string> = {};
  // An upstream may send one of that name, too.
  if (requestIdHeader !== undefined) headers[requestIdHeader] = callId;
  if (protocol.name !== 'openai-chat' || status >= 300) return headers;
  if (callIdHeader !== undefined) headers[callIdHeader] = callId;
  if (servedByHeader === undefined || !isAlias) return headers;
  if (SENDABLE.test(servedBy)) headers[servedByHeader] = servedBy;
  else logger.warn({ model: servedBy }, `the name of a model cannot be sent as ${servedByHeader}`);
  return headers;
}
