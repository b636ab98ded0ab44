import { parseObject } from '../protocols/json.ts';
import type { Protocol } from '../protocols/protocol.ts';
import { scanDocument } from '../request/json-document.ts';
import { markLength } from './byte-order-mark.ts';
import { GatewayError } from './gateway-error.ts';
import { modelRename, renameInDocument } from './model-name.ts';

/** What is refused of a client for the sake of an upstream is no reason to call an upstream's answer unreadable. */
const REFUSED_OF_CLIENTS: ReadonlySet<string> = new Set([
  'forbidden_key',
  'body_too_deep',
  'too_many_members',
]);

function isJsonObject(bytes: Buffer): boolean {
  try {
    scanDocument(bytes);
    return true;
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return REFUSED_OF_CLIENTS.has(error.code) && parseObject(bytes.toString()) !== undefined;
  }
}

/**
 * A whole plain answer with the name of its model replaced wherever the protocol puts it, every other byte as it
 * came. A byte-order mark before it stays.
 *
 * @returns the same buffer where there is nothing to replace; `undefined` where the bytes are no JSON object
 */
export function replaceModel(bytes: Buffer, protocol: Protocol, name: string): Buffer | undefined {
  const start = markLength(bytes);
  if (!isJsonObject(bytes.subarray(start))) return undefined;
  return renameInDocument(bytes, start, modelRename(protocol, name));
}
