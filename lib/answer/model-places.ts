import { StringSkipper } from '../request/string-skipper.ts';
import { eventStart, lineBehind, nextData } from './event-lines.ts';
import { GatewayError } from './gateway-error.ts';
import { CR, LF } from './sse.ts';

/** Offsets of a string's opening quote, and behind its closing one. */
export interface Place {
  readonly start: number;
  readonly end: number;
}

const MODEL = Buffer.from('"model"');

/** Without the first quote: looking for a byte that is everywhere takes several times as long. */
const MODEL_TOKEN = Buffer.from('model"');
const QUOTE_TOKEN = Buffer.from('"');

/** What every escape of one of the key's letters holds (m 6d, o 6f, d 64, e 65, l 6c), and hardly any text. */
const ESCAPED_LETTER = Buffer.from('\\u006');

const QUOTE = 0x22;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

function hasBackslash(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at] === BACKSLASH) return true;
  return false;
}

function isSame(bytes: Buffer, start: number, end: number, quoted: Buffer): boolean {
  if (end - start !== quoted.length) return false;
  for (let at = 0; at < quoted.length; at++) if (bytes[start + at] !== quoted[at]) return false;
  return true;
}

/** Whether the JSON string there says what `quoted` says, however it is spelt. */
export function spells(bytes: Buffer, { start, end }: Place, quoted: Buffer): boolean {
  if (isSame(bytes, start, end, quoted)) return true;
  if (!hasBackslash(bytes, start, end)) return false;
  return JSON.parse(bytes.toString('utf8', start, end)) === JSON.parse(quoted.toString());
}

/**
 * Walks JSON from its start to where a token stands and no further, to know how deep that is. Strings are checked on
 * the way; what else is malformed is found by whoever parses it.
 */
class Walk {
  readonly places: Place[] = [];
  readonly #bytes: Buffer;
  readonly #strings: StringSkipper;
  readonly #holder: Buffer | undefined;
  readonly #isStream: boolean;
  #at: number;
  #depth = 0;
  #isInHolder = false;
  /** Nothing more of interest comes in this event. */
  #isOver = true;

  constructor(bytes: Buffer, from: number, holder: Buffer | undefined, isStream: boolean) {
    this.#bytes = bytes;
    this.#strings = new StringSkipper(bytes);
    this.#holder = holder;
    this.#isStream = isStream;
    this.#at = from;
    this.enter(from);
  }

  get at(): number {
    return this.#at;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Starts with the event, or the document, that starts there, or behind blank lines. */
  enter(from: number): void {
    let start = from;
    while (this.#bytes[start] === LF || this.#bytes[start] === CR) start++;
    const first = this.#isStream ? nextData(this.#bytes, start) : start;
    this.#depth = 0;
    this.#isInHolder = false;
    this.#at = first === -1 ? start : this.#skipSpace(first);
    this.#isOver = first === -1 || this.#bytes[this.#at] !== OPEN_BRACE;
  }

  /** Walks on until it is behind the token, or the event is over. */
  pass(token: number): void {
    try {
      while (this.#at <= token && !this.#isOver) this.#step();
    } catch (error) {
      // An upstream may write what it likes; what is not JSON is passed on as it is.
      if (!(error instanceof GatewayError)) throw error;
      this.#isOver = true;
    }
  }

  /** Gives up what stands before the token's end. */
  leave(token: number): void {
    if (this.#at <= token) this.#at = token + 1;
  }

  #step(): void {
    const byte = this.#bytes[this.#at];
    if (byte === QUOTE) this.#passString();
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) this.#open();
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) this.#close();
    else if (byte === LF || byte === CR) this.#passLineEnd();
    else this.#at++;
  }

  #open(): void {
    this.#depth++;
    this.#at++;
  }

  #close(): void {
    this.#depth--;
    this.#at++;
    if (this.#depth <= 1) this.#isInHolder = false;
    if (this.#depth === 0) this.#isOver = true;
  }

  #passLineEnd(): void {
    const at = this.#skipSpace(this.#at);
    if (at === this.#at) this.#isOver = true;
    this.#at = at;
  }

  #passString(): void {
    const key = { start: this.#at, end: this.#strings.skip(this.#at) };
    this.#at = key.end;
    if (this.#depth !== (this.#isInHolder ? 2 : 1)) return;
    const colon = this.#skipSpace(key.end);
    if (this.#bytes[colon] !== COLON) return;
    this.#at = this.#skipSpace(colon + 1);
    if (spells(this.#bytes, key, MODEL)) this.#noteModel();
    else if (this.#isHolder(key)) this.#openHolder();
  }

  #noteModel(): void {
    if (this.#bytes[this.#at] !== QUOTE) return;
    const place = { start: this.#at, end: this.#strings.skip(this.#at) };
    this.places.push(place);
    this.#at = place.end;
  }

  #isHolder(key: Place): boolean {
    if (this.#holder === undefined || this.#depth !== 1 || this.#bytes[this.#at] !== OPEN_BRACE) return false;
    return spells(this.#bytes, key, this.#holder);
  }

  #openHolder(): void {
    this.#isInHolder = true;
    this.#open();
  }

  /** In a stream a value may go on in the event's next line of data; stays before the end of the event. */
  #skipSpace(from: number): number {
    let at = from;
    for (;;) {
      const byte = this.#bytes[at];
      if (byte === LF || byte === CR) {
        const next = this.#isStream ? nextData(this.#bytes, lineBehind(this.#bytes, at)) : at + 1;
        if (next === -1) return at;
        at = next;
      } else if (byte === 0x20 || byte === 0x09) {
        at++;
      } else {
        return at;
      }
    }
  }
}

/** Escaped keys are so rare that where one could be, every string is looked at. */
function needleIn(bytes: Buffer, from: number): Buffer {
  const mayBeEscaped = bytes.indexOf(BACKSLASH, from) !== -1 && bytes.includes(ESCAPED_LETTER, from);
  return mayBeEscaped ? QUOTE_TOKEN : MODEL_TOKEN;
}

/**
 * Where the values of a plain answer's `model` are, at its top level and in its `holder`; of a key that occurs twice,
 * all of them.
 *
 * @param from where the JSON starts
 * @param holder a key, in quotes
 */
export function placesInDocument(bytes: Buffer, from: number, holder: Buffer | undefined): Place[] {
  const needle = needleIn(bytes, from);
  const walk = new Walk(bytes, from, holder, false);
  while (!walk.isOver) {
    const token = bytes.indexOf(needle, walk.at);
    if (token === -1) break;
    walk.pass(token);
  }
  return walk.places;
}

/**
 * The same for the data of every event of a stream.
 *
 * @param from where the first event starts
 */
export function placesInEvents(bytes: Buffer, from: number, holder: Buffer | undefined): Place[] {
  const needle = needleIn(bytes, from);
  let token = bytes.indexOf(needle, from);
  if (token === -1) return [];
  const walk = new Walk(bytes, from, holder, true);
  // Most chunks are one event: where another starts is looked for only behind the first.
  walk.pass(token);
  for (;;) {
    token = bytes.indexOf(needle, walk.at);
    if (token === -1) return walk.places;
    const start = eventStart(bytes, walk.at, token);
    if (start !== walk.at) walk.enter(start);
    walk.pass(token);
    walk.leave(token);
  }
}
