import { isUtf8 } from 'node:buffer';
import { GatewayError } from '../answer/gateway-error.ts';
import { malformed, StringSkipper } from './string-skipper.ts';

/** A member of the top-level object, as offsets into the document's bytes. */
export interface Member {
  readonly key: string;
  /** Offset of the key's opening quote. */
  readonly start: number;
  readonly valueStart: number;
  /** Offset behind the value's last byte. */
  readonly valueEnd: number;
}

/**
 * A checked JSON object that stays bytes: only its top level has been looked at, so that a value can be
 * replaced without touching any other byte, and a megabyte is never decoded, parsed and written again.
 */
export interface JsonDocument {
  readonly bytes: Buffer;
  /** In the order of the text; a key that occurs twice is here twice. */
  readonly members: readonly Member[];
}

/** Levels of nesting a body may have. Parsers behind the gateway recurse. */
const MAX_DEPTH = 1000;

/** Top-level members a body may have: each costs many times its bytes, and no API knows a hundred. */
const MAX_MEMBERS = 10_000;

/** A value longer than this is none of the small ones that a request is served by. */
const MAX_SMALL_BYTES = 64 * 1024;

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= NINE;
}

function skipSpace(bytes: Buffer, from: number): number {
  let at = from;
  for (;;) {
    const byte = bytes[at];
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return at;
    at++;
  }
}

function skipDigits(bytes: Buffer, from: number): number {
  if (!isDigit(bytes[from])) throw malformed(from);
  let at = from + 1;
  while (isDigit(bytes[at])) at++;
  return at;
}

function skipNumber(bytes: Buffer, from: number): number {
  let at = bytes[from] === MINUS ? from + 1 : from;
  at = bytes[at] === ZERO ? at + 1 : skipDigits(bytes, at);
  if (bytes[at] === 0x2e) at = skipDigits(bytes, at + 1);
  if (bytes[at] === 0x65 || bytes[at] === 0x45) {
    const sign = bytes[at + 1];
    at = skipDigits(bytes, sign === 0x2b || sign === MINUS ? at + 2 : at + 1);
  }
  return at;
}

function skipWord(bytes: Buffer, from: number, word: string): number {
  const end = from + word.length;
  if (bytes.toString('latin1', from, end) !== word) throw malformed(from);
  return end;
}

function skipScalar(bytes: Buffer, strings: StringSkipper, at: number): number {
  const byte = bytes[at];
  if (byte === QUOTE) return strings.skip(at);
  if (byte === 0x74) return skipWord(bytes, at, 'true');
  if (byte === 0x66) return skipWord(bytes, at, 'false');
  if (byte === 0x6e) return skipWord(bytes, at, 'null');
  return skipNumber(bytes, at);
}

/** A body that sets a prototype somewhere behind the gateway is refused, however the key is spelt. */
function refuseProtoKey(bytes: Buffer, start: number, end: number): void {
  const length = end - start - 2;
  if (length < 9 || length > 54) return;
  const text = bytes.toString('latin1', start, end);
  const key: unknown = text.includes('\\') ? JSON.parse(text) : text.slice(1, -1);
  if (key === '__proto__') {
    throw new GatewayError(400, 'forbidden_key', 'The body holds a "__proto__" key.');
  }
}

function tooManyMembers(): GatewayError {
  const message = `The body has more than ${MAX_MEMBERS} members at its top level.`;
  return new GatewayError(400, 'too_many_members', message);
}

function keyText(bytes: Buffer, start: number, end: number): string {
  const text = bytes.toString('utf8', start, end);
  return text.includes('\\') ? String(JSON.parse(text)) : text.slice(1, -1);
}

// Scanning is synchronous, so one stack serves every request. 1: an object, 0: an array.
const containers = new Uint8Array(MAX_DEPTH + 1);

class Scanner {
  readonly #bytes: Buffer;
  readonly #strings: StringSkipper;
  readonly #members: Member[] = [];
  #at = 0;
  #depth = 0;
  #key = '';
  #keyStart = 0;
  #valueStart = 0;

  constructor(bytes: Buffer, strings: StringSkipper, at: number) {
    this.#bytes = bytes;
    this.#strings = strings;
    this.#at = at;
  }

  scan(): Member[] {
    this.#open();
    while (this.#depth > 0) {
      const byte = this.#bytes[this.#at];
      if (byte === COMMA) {
        this.#at = skipSpace(this.#bytes, this.#at + 1);
        this.#readEntry();
      } else if (byte === (containers[this.#depth] === 1 ? CLOSE_BRACE : CLOSE_BRACKET)) {
        this.#close();
      } else {
        throw malformed(this.#at);
      }
    }
    if (this.#at < this.#bytes.length) throw malformed(this.#at);
    return this.#members;
  }

  /** Reads up to the first comma or closing bracket, however many containers open on the way. */
  #readEntry(): void {
    for (;;) {
      if (containers[this.#depth] === 1) this.#readKey();
      const byte = this.#bytes[this.#at];
      if (byte !== OPEN_BRACE && byte !== OPEN_BRACKET) {
        this.#endValue(skipScalar(this.#bytes, this.#strings, this.#at));
        return;
      }
      if (this.#openAndIsEmpty()) return;
    }
  }

  #open(): void {
    if (!this.#openAndIsEmpty()) this.#readEntry();
  }

  #openAndIsEmpty(): boolean {
    if (this.#depth === MAX_DEPTH) {
      throw new GatewayError(400, 'body_too_deep', `The body nests deeper than ${MAX_DEPTH} levels.`);
    }
    const isObject = this.#bytes[this.#at] === OPEN_BRACE;
    containers[++this.#depth] = isObject ? 1 : 0;
    this.#at = skipSpace(this.#bytes, this.#at + 1);
    return this.#bytes[this.#at] === (isObject ? CLOSE_BRACE : CLOSE_BRACKET);
  }

  #close(): void {
    this.#depth--;
    this.#endValue(this.#at + 1);
  }

  #readKey(): void {
    const start = this.#at;
    if (this.#bytes[start] !== QUOTE) throw malformed(start);
    const end = this.#strings.skip(start);
    refuseProtoKey(this.#bytes, start, end);
    const colon = skipSpace(this.#bytes, end);
    if (this.#bytes[colon] !== COLON) throw malformed(colon);
    this.#at = skipSpace(this.#bytes, colon + 1);
    if (this.#depth > 1) return;
    this.#key = keyText(this.#bytes, start, end);
    this.#keyStart = start;
    this.#valueStart = this.#at;
  }

  #endValue(valueEnd: number): void {
    if (this.#depth === 1) {
      if (this.#members.length === MAX_MEMBERS) throw tooManyMembers();
      this.#members.push({
        key: this.#key,
        start: this.#keyStart,
        valueStart: this.#valueStart,
        valueEnd,
      });
    }
    this.#at = skipSpace(this.#bytes, valueEnd);
  }
}

/**
 * Checks that `bytes` are one JSON object (RFC 8259, strictly) and notes where its members are.
 *
 * @throws GatewayError 400: `empty_body`, `invalid_utf8`, `invalid_json`, `body_not_an_object`, `body_too_deep`
 *   (more than 1,000 levels), `forbidden_key` (`__proto__`, at any level), `too_many_members` (more than 10,000 at
 *   the top level)
 */
export function scanDocument(bytes: Buffer): JsonDocument {
  const at = skipSpace(bytes, 0);
  if (at >= bytes.length) throw new GatewayError(400, 'empty_body', 'The request has no body.');
  if (!isUtf8(bytes)) throw new GatewayError(400, 'invalid_utf8', 'The body is not valid UTF-8.');
  const strings = new StringSkipper(bytes);
  if (bytes[at] === OPEN_BRACKET) {
    throw new GatewayError(400, 'body_not_an_object', 'The body must be a JSON object.');
  }
  if (bytes[at] !== OPEN_BRACE) {
    if (skipSpace(bytes, skipScalar(bytes, strings, at)) < bytes.length) throw malformed(at);
    throw new GatewayError(400, 'body_not_an_object', 'The body must be a JSON object.');
  }
  return { bytes, members: new Scanner(bytes, strings, at).scan() };
}

/** The last member of that name, as every JSON parser takes it. */
export function findMember(document: JsonDocument, key: string): Member | undefined {
  for (let index = document.members.length - 1; index >= 0; index--) {
    const member = document.members[index];
    if (member?.key === key) return member;
  }
  return undefined;
}

function parseValue({ bytes }: JsonDocument, { valueStart, valueEnd }: Member): unknown {
  return JSON.parse(bytes.toString('utf8', valueStart, valueEnd));
}

/** Commas outside of strings and of containers that open behind `from`. The bytes have been checked. */
function countCommas(bytes: Buffer, from: number, end: number): number {
  const strings = new StringSkipper(bytes);
  let commas = 0;
  let depth = 0;
  let at = from;
  while (at < end) {
    const byte = bytes[at];
    if (byte === COMMA && depth === 0) commas++;
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++;
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth--;
    at = byte === QUOTE ? strings.skip(at) : at + 1;
  }
  return commas;
}

/** The value of a top-level member, parsed; `undefined` where there is none. Meant for values that are needed whole. */
export function readMember(document: JsonDocument, key: string): unknown {
  const member = findMember(document, key);
  return member === undefined ? undefined : parseValue(document, member);
}

function isLarge({ valueStart, valueEnd }: Member): boolean {
  return valueEnd - valueStart > MAX_SMALL_BYTES;
}

/** Whether a top-level member is longer than 64 KiB, and so none that `readSmallMember` reads. */
export function isLargeMember(document: JsonDocument, key: string): boolean {
  const member = findMember(document, key);
  return member !== undefined && isLarge(member);
}

/** The same for a value that is small wherever it means anything: one over 64 KiB reads as `undefined`. */
export function readSmallMember(document: JsonDocument, key: string): unknown {
  const member = findMember(document, key);
  return member === undefined || isLarge(member) ? undefined : parseValue(document, member);
}

/** How many elements a top-level member's array has, without parsing them; 0 where there is no array. */
export function countElements(document: JsonDocument, key: string): number {
  const { bytes } = document;
  const member = findMember(document, key);
  if (member === undefined || bytes[member.valueStart] !== OPEN_BRACKET) return 0;
  const first = skipSpace(bytes, member.valueStart + 1);
  return bytes[first] === CLOSE_BRACKET ? 0 : 1 + countCommas(bytes, first, member.valueEnd);
}
