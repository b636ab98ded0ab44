/** A shorter string is no image and no file. */
const LONG_STRING_BYTES = 1024;

/** Where the head of a data URL must have ended. */
const BEGINNING_BYTES = 256;
const DATA_URL_HEAD = /^data:[^,]*,/;

/** Lines of base64 have 64 or 76 characters (RFC 7468, RFC 2045); those of text that is one word each are shorter. */
const SHORTEST_LINE = 48;

/** Of all bytes, in base64 of anything, 26 of 64 are small letters; in words written together nearly all are. */
const MOST_SMALL_LETTERS = 0.6;

const BACKSLASH = 0x5c;

const SMALL_LETTER = 1;
const OTHER = 2;

/** What each byte is within base64, both alphabets of RFC 4648; 0: nothing that can be in it. */
const KINDS = new Uint8Array(256);
for (const byte of Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/-_=')) KINDS[byte] = OTHER;
for (const byte of Buffer.from('abcdefghijklmnopqrstuvwxyz')) KINDS[byte] = SMALL_LETTER;

const SLASH = 0x2f;

/** What may stand behind a backslash: line breaks, and `/`, which PHP escapes. */
const SHORT_ESCAPES = new Uint8Array(256);
for (const byte of Buffer.from('nr/')) SHORT_ESCAPES[byte] = 1;

/** .NET escapes `+` as `\u002B`. */
const LETTER_U = 0x75;
const FIRST_DIGITS = 0x303032;
const SMALL = 0x20;
const LAST_DIGITS: readonly number[] = [...Buffer.from('bf')];

/** Bytes and no text: a body may be all escapes, and a string for each would take seconds. */
function isPlusOrSlash(bytes: Buffer, at: number): boolean {
  return bytes.readUIntBE(at, 3) === FIRST_DIGITS && LAST_DIGITS.includes((bytes[at + 3] ?? 0) | SMALL);
}

/** Bytes of an escape that may be in base64; 0 where none begins. */
function escapeLength(bytes: Buffer, at: number): number {
  if (bytes[at] !== BACKSLASH) return 0;
  const escaped = bytes[at + 1] ?? 0;
  if (SHORT_ESCAPES[escaped] === 1) return 2;
  return escaped === LETTER_U && isPlusOrSlash(bytes, at + 2) ? 6 : 0;
}

function startOf(bytes: Buffer, from: number, to: number): number {
  const beginning = bytes.toString('latin1', from, Math.min(to, from + BEGINNING_BYTES));
  return from + (DATA_URL_HEAD.exec(beginning)?.[0].length ?? 0);
}

/**
 * Whether a string of a JSON text is base64 as a whole, and so an image or a file. How it begins says nothing: whoever
 * wants text to cost nothing would begin it so. A missing space is not enough either: there is none in a page of
 * Chinese, in a table of numbers, in minified code.
 *
 * @param from the first byte behind the opening quote
 * @param to the closing quote
 */
export function isBinary(bytes: Buffer, from: number, to: number): boolean {
  if (to - from < LONG_STRING_BYTES) return false;
  const start = startOf(bytes, from, to);
  let smallLetters = 0;
  let lineStart = start;
  for (let at = start; at < to; ) {
    const kind = KINDS[bytes[at] ?? 0];
    if (kind === SMALL_LETTER) smallLetters++;
    if (kind !== 0) {
      at++;
      continue;
    }
    const escaped = escapeLength(bytes, at);
    if (escaped === 0) return false;
    const breaksLine = escaped === 2 && bytes[at + 1] !== SLASH;
    if (breaksLine && at > lineStart && at - lineStart < SHORTEST_LINE) return false;
    at += escaped;
    if (breaksLine) lineStart = at;
  }
  return smallLetters <= (to - start) * MOST_SMALL_LETTERS;
}
