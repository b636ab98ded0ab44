import { ChunkList } from '../chunk-list.ts';
import { markLength } from './byte-order-mark.ts';
import { type ErrorEvent, ErrorWatch } from './error-watch.ts';
import { EventInspector } from './event-inspector.ts';
import { type ModelRename, renameInEvents } from './model-name.ts';
import type { Reader } from './reader.ts';
import { EventBoundaries, LF } from './sse.ts';
import type { Tally } from './tally.ts';

/** An event larger than this is passed on, and the rest of it unread: no usage report is that long. */
const MAX_EVENT_BYTES = 1024 * 1024;

/** An unfinished event is withheld no longer than this where only usage reports are: one would have ended. */
const MAX_WITHHELD_BYTES = 64 * 1024;

const EMPTY = Buffer.alloc(0);

/** What is done to a stream beside counting it. */
export interface EventReaderOptions {
  /** Gives the model this name in every event, up to 1 MiB into it. */
  readonly rename?: ModelRename | undefined;
  /** Ends what is passed on before the first error that follows the stream's first event. */
  readonly endsAtError?: boolean | undefined;
}

/**
 * Reads usage and tool calls out of an event stream. Events are put together only where chunks cut them; where
 * nothing is to be changed, every chunk is passed on by reference.
 */
export class EventReader implements Reader {
  readonly #tally: Tally;
  readonly #inspector: EventInspector;
  readonly #rename: ModelRename | undefined;
  readonly #errors: ErrorWatch | undefined;
  /** Passes on whole events only, so that none is half sent that is to be withheld or changed. */
  readonly #holdsBack: boolean;
  readonly #mostHeld: number;
  readonly #boundaries = new EventBoundaries();
  /** The event that is not finished yet. */
  readonly #unfinished = new ChunkList();
  /** Nothing has been looked at or skipped: a byte-order mark may still come (WHATWG HTML §9.2.5). */
  #atStart = true;
  /** Within an event too long to be looked at, or to be withheld. */
  #skipping = false;
  #passedBoundary = true;
  #brokenOff = false;

  /** @param withholdsUsage keeps the usage-only chunk from a client that did not ask for it */
  constructor(tally: Tally, withholdsUsage: boolean, options: EventReaderOptions = {}) {
    this.#tally = tally;
    this.#inspector = new EventInspector(tally, withholdsUsage);
    this.#rename = options.rename;
    this.#errors = options.endsAtError ? new ErrorWatch() : undefined;
    const reads = this.#rename !== undefined || this.#errors !== undefined;
    this.#holdsBack = withholdsUsage || reads;
    this.#mostHeld = reads ? MAX_EVENT_BYTES : MAX_WITHHELD_BYTES;
  }

  get atBoundary(): boolean {
    return this.#holdsBack ? this.#passedBoundary : this.#boundaries.atBoundary;
  }

  get brokenOff(): boolean {
    return this.#brokenOff;
  }

  push(chunk: Buffer): Buffer | undefined {
    if (this.#holdsBack) return this.#pushHolding(chunk);
    const end = this.#boundaries.follow(chunk);
    if (end === chunk.length && this.#unfinished.bytes === 0 && !this.#skipping) {
      this.#inspector.read(chunk, this.#startOf(chunk));
    } else {
      this.#gather(chunk, end);
    }
    return chunk;
  }

  end(): Buffer | undefined {
    if (this.#unfinished.bytes === 0) return undefined;
    const last = this.#unfinished.take();
    if (this.#holdsBack) return this.#change(last);
    this.#inspector.read(last, this.#startOf(last));
    return undefined;
  }

  settled(): undefined {
    return undefined;
  }

  /** Passes the chunk on, but keeps events together to look at them. */
  #gather(chunk: Buffer, end: number): void {
    if (end > 0) {
      if (!this.#skipping) {
        const events = this.#complete(chunk, end);
        this.#inspector.read(events, this.#startOf(events));
      }
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

  #pushHolding(chunk: Buffer): Buffer | undefined {
    if (this.#brokenOff) return undefined;
    if (this.#skipping) return this.#pushSkipping(chunk);
    if (this.#boundaries.mayOweLineFeed && chunk[0] === LF) return this.#pushLineFeed(chunk);
    const end = this.#boundaries.follow(chunk);
    if (end === 0) return this.#hold(chunk);
    if (end === chunk.length && this.#unfinished.bytes === 0) return this.#change(chunk);
    const events = this.#complete(chunk, end);
    this.#unfinished.push(chunk.subarray(end));
    return this.#change(events);
  }

  /** Holds an unfinished event back, unless it is too long: then the rest of it passes as it comes. */
  #hold(chunk: Buffer): Buffer | undefined {
    this.#unfinished.push(chunk);
    if (this.#unfinished.bytes <= this.#mostHeld) return undefined;
    const held = this.#unfinished.take();
    const from = this.#startOf(held);
    this.#skip();
    this.#passedBoundary = false;
    this.#inspector.withheldLast = false;
    this.#errors?.begin();
    return this.#rename === undefined ? held : renameInEvents(held, from, this.#rename);
  }

  #pushSkipping(chunk: Buffer): Buffer {
    const end = this.#boundaries.followFirst(chunk);
    if (end === 0) return chunk;
    this.#skipping = false;
    this.#passedBoundary = true;
    return this.#passHead(chunk, end);
  }

  /** A line feed that a cut has parted from its carriage return goes the way of the event it ends. */
  #pushLineFeed(chunk: Buffer): Buffer | undefined {
    const isWithheld = this.#inspector.withheldLast;
    this.#boundaries.follow(chunk.subarray(0, 1));
    if (!isWithheld) return this.#passHead(chunk, 1);
    return chunk.length > 1 ? this.#pushHolding(chunk.subarray(1)) : undefined;
  }

  /** The chunk's head as it is, and what goes on of the rest. */
  #passHead(chunk: Buffer, end: number): Buffer {
    if (end === chunk.length) return chunk;
    const rest = chunk.subarray(end);
    const passed = this.#pushHolding(rest);
    return passed === rest ? chunk : Buffer.concat([chunk.subarray(0, end), passed ?? EMPTY]);
  }

  #skip(): void {
    this.#skipping = true;
    this.#atStart = false;
  }

  #complete(chunk: Buffer, end: number): Buffer {
    this.#unfinished.push(chunk.subarray(0, end));
    return this.#unfinished.take();
  }

  /** Where the first event of these starts: behind a byte-order mark, if they start the stream. */
  #startOf(events: Buffer): number {
    if (!this.#atStart) return 0;
    if (events.length > 0) this.#atStart = false;
    return markLength(events);
  }

  /** What is to be passed on of whole events. */
  #change(events: Buffer): Buffer | undefined {
    const from = this.#startOf(events);
    const error = this.#errors?.find(events, from);
    const kept = this.#inspector.read(error === undefined ? events : events.subarray(0, error.start), from);
    if (error !== undefined) this.#breakOff(error);
    // Before an error, there may have been nothing.
    if (kept === undefined || kept.length === 0) return undefined;
    return this.#rename === undefined ? kept : renameInEvents(kept, from, this.#rename);
  }

  #breakOff({ json }: ErrorEvent): void {
    this.#brokenOff = true;
    this.#unfinished.clear();
    // It may say what had been used up until then.
    this.#tally.read(json);
  }
}
