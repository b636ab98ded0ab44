import { anthropicPassthrough } from '../protocols/anthropic-passthrough.ts';
import { protocols } from '../protocols/index.ts';
import type { Protocol, ProtocolName } from '../protocols/protocol.ts';

const BELOW_MESSAGES = /\/v1\/messages\//;

/**
 * The protocol of a request as far as its path tells: the one that errors of the gateway's own have the shape of.
 *
 * @param endpoint what the path has been recognised as
 */
export function protocolAt(path: string, endpoint: ProtocolName | undefined): Protocol {
  if (endpoint !== undefined && endpoint !== 'passthrough') return protocols[endpoint];
  return BELOW_MESSAGES.test(path) ? anthropicPassthrough : protocols.passthrough;
}
