import { isObject, type JsonObject, parseObject } from '../protocols/json.ts';
import { ChunkList } from './chunk-list.ts';
import type { Reader } from './reader.ts';
import { EventBoundaries, LF, splitEvents } from './sse.ts';
import type { Tally } from './tally.ts';

/** An event larger than this is passed on unread: no usage report is that long. */
const MAX_EVENT_BYTES = 1024 * 1024;

/** An unfinished event is withheld no longer than this: a usage report would have ended. */
const MAX_WITHHELD_BYTES = 64 * 1024;

const USAGE_TOKEN = '"usage"';

const EMPTY = Buffer.alloc(0);

function isSpaceOrColon(byte: number): boolean {
  return byte === 0x20 || byte === 0x3a || byte === 0x09;
}

/** Whether a token is there with a value that says something: many servers send `null` or `[]` in every event. */
function holds(bytes: Buffer, token: string): boolean {
  for (let at = bytes.indexOf(token); at !== -1; at = bytes.indexOf(token, at + 1)) {
    let value = at + token.length;
    while (isSpaceOrColon(bytes[value] ?? 0)) value++;
    const first = bytes[value];
    const isNull = first === 0x6e;
    const isEmptyList = first === 0x5b && bytes[value + 1] === 0x5d;
    if (!isNull && !isEmptyList) return true;
  }
  return false;
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
      this.#skipping = true;
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
    this.#skipping = true;
    this.#passedBoundary = false;
    this.#withheldLast = false;
    return this.#unfinished.take();
  }

  end(): Buffer | undefined {
    if (!this.#withholdsUsage || this.#unfinished.bytes === 0) {
      if (this.#unfinished.bytes > 0) this.#read(this.#unfinished.take());
      return undefined;
    }
    return this.#read(this.#unfinished.take());
  }

  settled(): undefined {
    return undefined;
  }

  #complete(chunk: Buffer, end: number): Buffer {
    this.#unfinished.push(chunk.subarray(0, end));
    return this.#unfinished.take();
  }

  /** Looks at whole events; returns them without a usage-only one that is to be withheld. */
  #read(events: Buffer): Buffer | undefined {
    this.#withheldLast = false;
    const hasUsage = holds(events, USAGE_TOKEN);
    const hasToolCall = !this.#tally.hasToolCalls && holds(events, this.#tally.toolCallToken);
    if (!hasUsage && !hasToolCall && !this.#tally.keepsText) return events;
    return this.#readEach(events);
  }

  #readEach(events: Buffer): Buffer | undefined {
    const kept: Buffer[] = [];
    let copied = 0;
    // One character per byte, so that offsets in the text are offsets in the bytes.
    for (const { start, end, data } of splitEvents(events.toString('latin1'))) {
      const json = data === undefined ? undefined : parseObject(Buffer.from(data, 'latin1').toString());
      if (json === undefined) continue;
      this.#tally.read(json);
      if (!this.#withholdsUsage || !isUsageOnly(json)) continue;
      kept.push(events.subarray(copied, start));
      copied = end;
    }
    this.#withheldLast = copied === events.length;
    if (copied === 0) return events;
    kept.push(events.subarray(copied));
    const rest = Buffer.concat(kept);
    return rest.length === 0 ? undefined : rest;
  }
}
