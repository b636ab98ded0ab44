import { GatewayError } from '../answer/gateway-error.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACE = 0x20;

/** What may follow a backslash (RFC 8259 §7), `u` aside: 1 at the code of each. */
const ESCAPES = new Uint8Array(256);
for (const byte of Buffer.from('"\\/bfnrt')) ESCAPES[byte] = 1;

export function malformed(at: number): GatewayError {
  return new GatewayError(400, 'invalid_json', `The body is not valid JSON (byte ${at}).`);
}

function isHexDigit(byte: number): boolean {
  const lower = byte | 0x20;
  return (byte >= 0x30 && byte <= 0x39) || (lower >= 0x61 && lower <= 0x66);
}

function skipEscape(bytes: Buffer, from: number): number {
  const escaped = bytes[from + 1] ?? 0;
  if (escaped !== 0x75) {
    if (ESCAPES[escaped] !== 1) throw malformed(from);
    return from + 2;
  }
  for (let at = from + 2; at < from + 6; at++) if (!isHexDigit(bytes[at] ?? 0)) throw malformed(at);
  return from + 6;
}

/**
 * The high bits of those of the four bytes that are a quote, a backslash or a control byte. Subtracting sets a
 * byte's high bit only where it was smaller than what is subtracted; a borrow can do so too, but only above a
 * true hit, so the lowest one is always true. With its second bit flipped, a quote is the one byte that follows
 * the control bytes.
 */
function specialsIn(word: number): number {
  const backslashes = word ^ 0x5c5c5c5c;
  return (
    ((((word ^ 0x02020202) - 0x21212121) & ~word) | ((backslashes - 0x01010101) & ~backslashes)) & 0x80808080
  );
}

/** Below this many bytes the view costs more than it saves. */
const WORTH_A_VIEW = 512;

/**
 * Finds where strings end and checks what they hold. Bodies are nearly all string, so they are crossed four
 * bytes at a time: a quarter of the time that a byte at a time takes.
 */
export class StringSkipper {
  readonly #bytes: Buffer;
  readonly #view: DataView | undefined;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    const { buffer, byteOffset, length } = bytes;
    this.#view = length < WORTH_A_VIEW ? undefined : new DataView(buffer, byteOffset, length);
  }

  /** `from` is the opening quote; returns the offset behind the closing one. Throws `invalid_json`. */
  skip(from: number): number {
    const bytes = this.#bytes;
    const view = this.#view;
    const lastWord = view === undefined ? -1 : bytes.length - 4;
    const lastPair = lastWord - 4;
    let at = from + 1;
    for (;;) {
      if (view !== undefined) {
        // Written out here: conversations hold a special byte every few words, and a call each would show.
        while (
          at <= lastPair &&
          (specialsIn(view.getInt32(at, true)) | specialsIn(view.getInt32(at + 4, true))) === 0
        ) {
          at += 8;
        }
        for (; at <= lastWord; at += 4) {
          const specials = specialsIn(view.getInt32(at, true));
          if (specials === 0) continue;
          at += (31 - Math.clz32(specials & -specials)) >> 3;
          break;
        }
      }
      const byte = bytes[at];
      if (byte === undefined) throw malformed(at);
      if (byte === QUOTE) return at + 1;
      if (byte === BACKSLASH) at = skipEscape(bytes, at);
      else if (byte < SPACE) throw malformed(at);
      else at++;
    }
  }
}
