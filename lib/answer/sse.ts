/** Two line ends in a row, in any of the three spellings (WHATWG HTML §9.2.5). A lone CRLF is one. */
const BLANK_LINE = /(?:\r\n|\n|\r(?!\n)){2}/g;
const LINE_END = /\r\n|\n|\r/;
const DATA_FIELD = /^data:? ?/;

export interface ServerSentEvent {
  readonly start: number;
  /** Behind the blank line that ends it. */
  readonly end: number;
  /** Its data lines, joined; `undefined` for a comment or any other event without data. */
  readonly data: string | undefined;
}

function dataOf(event: string): string | undefined {
  let data: string | undefined;
  for (const line of event.split(LINE_END)) {
    if (line !== 'data' && !line.startsWith('data:')) continue;
    const value = line.replace(DATA_FIELD, '');
    data = data === undefined ? value : `${data}\n${value}`;
  }
  return data;
}

/** The events of a text; one that no blank line ends comes last. */
export function splitEvents(text: string): ServerSentEvent[] {
  const events: ServerSentEvent[] = [];
  let start = 0;
  for (const blank of text.matchAll(BLANK_LINE)) {
    const end = blank.index + blank[0].length;
    events.push({ start, end, data: dataOf(text.slice(start, blank.index)) });
    start = end;
  }
  if (start < text.length) events.push({ start, end: text.length, data: dataOf(text.slice(start)) });
  return events;
}

export const LF = 0x0a;
export const CR = 0x0d;

/** Where the bytes seen so far end, as far as finding the next blank line needs to know. */
const BOUNDARY = 0; // behind a blank line, or at the start
const IN_LINE = 1;
const AFTER_LINE = 2; // behind a line end
const AFTER_CR = 3; // behind a line end that a line feed may still belong to
const BOUNDARY_CR = 4; // behind a blank line that a line feed may still belong to

function step(state: number, byte: number): number {
  if (byte === LF) return state === IN_LINE || state === AFTER_CR ? AFTER_LINE : BOUNDARY;
  if (byte === CR) return state === IN_LINE ? AFTER_CR : BOUNDARY_CR;
  return IN_LINE;
}

/** Follows a stream of bytes and says where its events end, wherever it is cut into chunks. */
export class EventBoundaries {
  #state = BOUNDARY;

  /** Whether the bytes so far end between two events. */
  get atBoundary(): boolean {
    return this.#state === BOUNDARY || this.#state === BOUNDARY_CR;
  }

  /** Whether they end with a carriage return whose line feed, if it has one, is still to come. */
  get mayOweLineFeed(): boolean {
    return this.#state === BOUNDARY_CR;
  }

  /** The offset behind the last event that ends in this chunk; 0 for none. */
  follow(chunk: Buffer): number {
    const { length } = chunk;
    // Nearly every chunk ends with its event.
    if (length > 1 && chunk[length - 1] === LF && chunk[length - 2] === LF) {
      this.#state = BOUNDARY;
      return length;
    }
    const found = chunk.lastIndexOf('\n\n');
    if (found === -1) return this.#walk(chunk, 0, 0);
    this.#state = BOUNDARY;
    return this.#walk(chunk, found + 2, found + 2);
  }

  /** The offset behind the first event that ends in this chunk, which is followed no further; 0 for none. */
  followFirst(chunk: Buffer): number {
    let state = this.#state;
    let end = 0;
    for (let at = 0; at < chunk.length && end === 0; at++) {
      state = step(state, chunk[at] ?? 0);
      if (state === BOUNDARY || state === BOUNDARY_CR) end = at + 1;
    }
    this.#state = state;
    return end;
  }

  #walk(chunk: Buffer, from: number, boundary: number): number {
    let last = boundary;
    let state = this.#state;
    for (let at = from; at < chunk.length; at++) {
      state = step(state, chunk[at] ?? 0);
      if (state === BOUNDARY || state === BOUNDARY_CR) last = at + 1;
    }
    this.#state = state;
    return last;
  }
}
