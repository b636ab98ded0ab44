import type { ProtocolName } from '../protocols/protocol.ts';
import { findMember, type JsonDocument } from './json-document.ts';
import { resolvePath } from './resolve-path.ts';

/** Endpoints by the end of their path. The first that fits decides. */
const ENDPOINTS: readonly (readonly [RegExp, ProtocolName])[] = [
  [/\/converse(?:-stream)?$/, 'bedrock-converse'],
  [/\/v1\/messages$/, 'anthropic-messages'],
  [/\/responses$/, 'openai-responses'],
  [/\/chat\/completions$/, 'openai-chat'],
  [/\/embeddings$/, 'openai-embeddings'],
  [/\/(?:completions|moderations|messages\/count_tokens)$/, 'passthrough'],
  [/\/(?:audio|images)\/[^/]+$/, 'passthrough'],
  [
    /\/(?:files(?:\/[^/]+(?:\/content)?)?|batches(?:\/[^/]+(?:\/cancel)?)?|models(?:\/[^/]+)?)$/,
    'passthrough',
  ],
];

/**
 * The protocol of a known endpoint; `undefined` for any other path.
 *
 * @param path the path as the client sent it, without the query
 */
export function protocolOfPath(path: string): ProtocolName | undefined {
  const resolved = resolvePath(path) ?? '';
  const trimmed = resolved.endsWith('/') ? resolved.slice(0, -1) : resolved;
  for (const [pattern, protocol] of ENDPOINTS) if (pattern.test(trimmed)) return protocol;
  return undefined;
}

/** The protocol that a body on any other path speaks. */
export function protocolOfBody(document: JsonDocument): ProtocolName {
  if (findMember(document, 'messages') !== undefined) return 'openai-chat';
  if (findMember(document, 'input') !== undefined) return 'openai-embeddings';
  return 'passthrough';
}
