import type { Protocol } from '../protocols/protocol.ts';
import { findMember, type JsonDocument } from '../request/json-document.ts';
import { StringSkipper } from '../request/string-skipper.ts';
import { isBinary } from './binary-string.ts';

/** English text has about four characters in a token, for every current tokenizer. */
export const BYTES_PER_TOKEN = 4;

const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const SPACE = 0x20;
const OPEN_BRACKET = 0x5b;

/**
 * How many numbers of arrays begin in a piece without strings. A prompt may come as tokens, which are such numbers; an
 * object's are settings.
 */
function countElements(bytes: Buffer, from: number, to: number): number {
  let count = 0;
  let before = 0;
  for (let at = from; at < to; at++) {
    const byte = bytes[at] ?? 0;
    if (byte <= SPACE) continue;
    const isNumber = byte === MINUS || (byte >= ZERO && byte <= NINE);
    if (isNumber && (before === COMMA || before === OPEN_BRACKET)) count++;
    before = byte;
  }
  return count;
}

/** Tokens in one member. The document has been checked, so every string ends. */
function memberTokens(document: JsonDocument, key: string): number {
  const member = findMember(document, key);
  if (member === undefined) return 0;
  const { bytes } = document;
  const { valueStart, valueEnd } = member;
  const strings = new StringSkipper(bytes);
  let textBytes = 0;
  let elements = 0;
  for (let at = valueStart; at < valueEnd; ) {
    const found = bytes.indexOf(QUOTE, at);
    const start = found === -1 || found > valueEnd ? valueEnd : found;
    elements += countElements(bytes, at, start);
    if (start === valueEnd) break;
    at = strings.skip(start);
    if (!isBinary(bytes, start + 1, at - 1)) textBytes += at - start;
  }
  return elements + textBytes / BYTES_PER_TOKEN;
}

/** What LLMs read beside the messages themselves, by its names in all protocols. */
const FURTHER_PROMPT = ['system', 'instructions', 'tools', 'prompt'];

/** About how many tokens a request asks an LLM to read, by lengths alone. */
export function promptTokens(document: JsonDocument, protocol: Protocol): number {
  const members = [protocol.contentMember, ...FURTHER_PROMPT];
  return Math.ceil(members.reduce((sum, key) => sum + memberTokens(document, key), 0));
}
