import { ChunkList } from '../chunk-list.ts';
import { isObject, type JsonObject, parseObject } from '../protocols/json.ts';
import type { Reader } from './reader.ts';
import { CR, EventBoundaries, LF, splitEvents } from './sse.ts';
import type { Tally } from './tally.ts';

/** An event larger than this is passed on unread: no usage report is that long. */
const MAX_EVENT_BYTES = 1024 * 1024;

/** An unfinished event is withheld no longer than this: a usage report would have ended. */
const MAX_WITHHELD_BYTES = 64 * 1024;

/**
 * The end of every counter's name (`prompt_tokens`, `input_tokens`, …). The name of the report itself would not
 * do: once asked for usage, many servers send `"usage":null` in every event.
 */
const USAGE_TOKEN = '_tokens"';

const EMPTY = Buffer.alloc(0);

interface Range {
  readonly start: number;
  readonly end: number;
}

const BYTE_ORDER_MARK = Buffer.from('\ufeff');

function startsWithMark(bytes: Buffer): boolean {
  return bytes.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK);
}

function isSpaceOrColon(byte: number): boolean {
  return byte === 0x20 || byte === 0x3a || byte === 0x09;
}

/** Where a token stands with a value that says something: many servers send `null` or `[]` in every event. */
function findToken(bytes: Buffer, token: string, from: number): number {
  for (let at = bytes.indexOf(token, from); at !== -1; at = bytes.indexOf(token, at + 1)) {
    let value = at + token.length;
    while (isSpaceOrColon(bytes[value] ?? 0)) value++;
    const first = bytes[value];
    const isNull = first === 0x6e;
    const isEmptyList = first === 0x5b && bytes[value + 1] === 0x5d;
    if (!isNull && !isEmptyList) return at;
  }
  return -1;
}

/** The chunk that `include_usage` adds: loops that index `choices[0]` break on it. */
function isUsageOnly(json: JsonObject): boolean {
  return isObject(json.usage) && Array.isArray(json.choices) && json.choices.length === 0;
}

/**
 * Reads usage and tool calls out of an event stream. Events are put together only where chunks cut them, and
 * parsed only where they hold a token of interest; everything else is passed on by reference.
 */
export class EventReader implements Reader {
  readonly #tally: Tally;
  readonly #withholdsUsage: boolean;
  readonly #boundaries = new EventBoundaries();
  /** The event that is not finished yet. */
  readonly #unfinished = new ChunkList();
  /** Nothing has been looked at or skipped: a byte-order mark may still come (WHATWG HTML §9.2.5). */
  #atStart = true;
  /** Within an event too long to be looked at, or to be withheld. */
  #skipping = false;
  #passedBoundary = true;
  /** Whether the last event that ended was withheld. */
  #withheldLast = false;

  /** @param withholdsUsage keeps the usage-only chunk from a client that did not ask for it */
  constructor(tally: Tally, withholdsUsage: boolean) {
    this.#tally = tally;
    this.#withholdsUsage = withholdsUsage;
  }

  get atBoundary(): boolean {
    return this.#withholdsUsage ? this.#passedBoundary : this.#boundaries.atBoundary;
  }

  push(chunk: Buffer): Buffer | undefined {
    if (this.#withholdsUsage && this.#boundaries.mayOweLineFeed && chunk[0] === LF) {
      return this.#pushLineFeed(chunk);
    }
    const end = this.#boundaries.follow(chunk);
    if (end === chunk.length && this.#unfinished.bytes === 0 && !this.#skipping) {
      return this.#read(chunk);
    }
    if (this.#withholdsUsage) return this.#pushWithholding(chunk, end);
    this.#gather(chunk, end);
    return chunk;
  }

  /** A line feed that a cut has parted from its carriage return goes the way of the event it ends. */
  #pushLineFeed(chunk: Buffer): Buffer | undefined {
    const isWithheld = this.#withheldLast;
    this.#boundaries.follow(chunk.subarray(0, 1));
    const rest = chunk.length > 1 ? this.push(chunk.subarray(1)) : undefined;
    if (isWithheld) return rest;
    return rest?.length === chunk.length - 1 ? chunk : Buffer.concat([chunk.subarray(0, 1), rest ?? EMPTY]);
  }

  /** Passes the chunk on, but keeps events together to look at them. */
  #gather(chunk: Buffer, end: number): void {
    if (end > 0) {
      if (!this.#skipping) this.#read(this.#complete(chunk, end));
      this.#skipping = false;
      this.#unfinished.push(chunk.subarray(end));
      return;
    }
    if (this.#skipping) return;
    this.#unfinished.push(chunk);
    if (this.#unfinished.bytes > MAX_EVENT_BYTES) {
      this.#skip();
      this.#unfinished.clear();
    }
  }

  /** Passes on whole events only, so that the one to withhold is never half sent. */
  #pushWithholding(chunk: Buffer, end: number): Buffer | undefined {
    if (this.#skipping && end === 0) return chunk;
    if (end > 0) {
      const head = chunk.subarray(0, end);
      const passed = this.#skipping ? head : this.#read(this.#complete(chunk, end));
      this.#skipping = false;
      this.#passedBoundary = true;
      this.#unfinished.push(chunk.subarray(end));
      return passed;
    }
    this.#unfinished.push(chunk);
    if (this.#unfinished.bytes <= MAX_WITHHELD_BYTES) return undefined;
    this.#skip();
    this.#passedBoundary = false;
    this.#withheldLast = false;
    return this.#unfinished.take();
  }

  end(): Buffer | undefined {
    if (this.#unfinished.bytes === 0) return undefined;
    const passed = this.#read(this.#unfinished.take());
    return this.#withholdsUsage ? passed : undefined;
  }

  settled(): undefined {
    return undefined;
  }

  #skip(): void {
    this.#skipping = true;
    this.#atStart = false;
  }

  #complete(chunk: Buffer, end: number): Buffer {
    this.#unfinished.push(chunk.subarray(0, end));
    return this.#unfinished.take();
  }

  /** Looks at whole events; returns them without a usage-only one that is to be withheld. */
  #read(events: Buffer): Buffer | undefined {
    this.#withheldLast = false;
    const from = this.#atStart && startsWithMark(events) ? BYTE_ORDER_MARK.length : 0;
    if (events.length > 0) this.#atStart = false;
    const token = this.#findToken(events, from);
    if (this.#tally.keepsText) return this.#readEach(events, from);
    if (token === -1) return events;
    // Where only line feeds end lines, an event's bounds are found without looking at the others.
    return events.includes(CR) ? this.#readEach(events, from) : this.#readMarked(events, from, token);
  }

  #findToken(events: Buffer, from: number): number {
    const usage = events.indexOf(USAGE_TOKEN, from);
    if (this.#tally.hasToolCalls) return usage;
    const toolCall = findToken(events, this.#tally.toolCallToken, from);
    if (usage === -1 || toolCall === -1) return Math.max(usage, toolCall);
    return Math.min(usage, toolCall);
  }

  /**
   * A fast server's events come many at a time: only those that hold a token are cut out and parsed.
   *
   * @param from where the first event starts: behind the byte-order mark, which passes whatever is withheld
   */
  #readMarked(events: Buffer, from: number, firstToken: number): Buffer | undefined {
    const withheld: Range[] = [];
    for (let token = firstToken; token !== -1; ) {
      const before = events.lastIndexOf('\n\n', token);
      const after = events.indexOf('\n\n', token);
      const start = before === -1 ? from : before + 2;
      const end = after === -1 ? events.length : after + 2;
      const [event] = splitEvents(events.toString('latin1', start, end));
      if (this.#readData(event?.data)) withheld.push({ start, end });
      token = this.#findToken(events, end);
    }
    return this.#without(events, withheld);
  }

  #readEach(events: Buffer, from: number): Buffer | undefined {
    // One character per byte, so that offsets in the text are offsets in the bytes.
    const withheld = splitEvents(events.toString('latin1', from)).filter(({ data }) => this.#readData(data));
    return this.#without(
      events,
      withheld.map(({ start, end }) => ({ start: from + start, end: from + end })),
    );
  }

  /** Reads one event's data, a character per byte; returns whether the event is to be withheld. */
  #readData(data: string | undefined): boolean {
    const json = data === undefined ? undefined : parseObject(Buffer.from(data, 'latin1').toString());
    if (json === undefined) return false;
    this.#tally.read(json);
    return this.#withholdsUsage && isUsageOnly(json);
  }

  #without(events: Buffer, withheld: readonly Range[]): Buffer | undefined {
    if (withheld.length === 0) return events;
    const kept: Buffer[] = [];
    let copied = 0;
    for (const { start, end } of withheld) {
      kept.push(events.subarray(copied, start));
      copied = end;
    }
    kept.push(events.subarray(copied));
    this.#withheldLast = copied === events.length;
    const rest = Buffer.concat(kept);
    return rest.length === 0 ? undefined : rest;
  }
}
