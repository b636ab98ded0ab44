import { ChunkList } from '../chunk-list.ts';
import { parseObject } from '../protocols/json.ts';
import { type JsonDocument, readMember, scanDocument } from '../request/json-document.ts';
import { GatewayError } from './gateway-error.ts';
import type { Reader } from './reader.ts';
import type { Tally } from './tally.ts';

/** Answers up to this size are kept, by reference, to be read when they are complete. */
const MAX_KEPT_BYTES = 4 * 1024 * 1024;

/** Below this, parsing the whole answer costs less than looking for its parts. */
const PARSE_WHOLE_BYTES = 64 * 1024;

/** Of a longer answer only its end is kept: that is where usage stands, behind the vectors. */
const TAIL_BYTES = 4 * 1024;

function scan(bytes: Buffer): JsonDocument | undefined {
  try {
    return scanDocument(bytes);
  } catch (error) {
    // An upstream may answer what it likes; what is not a JSON object holds nothing to read.
    if (error instanceof GatewayError) return undefined;
    throw error;
  }
}

/** Reads usage out of a plain JSON answer once it is complete. Every chunk goes on as it comes. */
export class PlainReader implements Reader {
  readonly atBoundary = true;
  readonly brokenOff = false;
  readonly #tally: Tally;
  readonly #kept = new ChunkList();
  #tailOnly = false;

  constructor(tally: Tally) {
    this.#tally = tally;
  }

  push(chunk: Buffer): Buffer {
    this.#kept.push(chunk);
    if (this.#kept.bytes > (this.#tailOnly ? 2 * TAIL_BYTES : MAX_KEPT_BYTES)) this.#keepTail(chunk);
    return chunk;
  }

  /** Of many small chunks, each byte is copied once or twice: what is kept may grow to twice the tail before. */
  #keepTail(last: Buffer): void {
    this.#tailOnly = true;
    const tail = last.length < TAIL_BYTES ? Buffer.from(this.#kept.take().subarray(-TAIL_BYTES)) : last;
    this.#kept.clear();
    this.#kept.push(tail);
  }

  end(): undefined {
    const bytes = this.#kept.take();
    const isPlain = !this.#tally.keepsText && !bytes.includes(this.#tally.toolCallToken);
    if ((isPlain || this.#tailOnly) && this.#readTail(bytes)) return;
    if (this.#tailOnly) return;
    if (bytes.length <= PARSE_WHOLE_BYTES || !isPlain) this.#tally.readText(bytes.toString());
    else this.#readUsage(bytes);
  }

  settled(): undefined {
    return undefined;
  }

  /**
   * Most answers end with their usage. What follows the last `"usage"`, given an opening brace, is a JSON object
   * only if that was a member of the answer itself: any deeper, and there is a closing brace too many.
   *
   * @returns whether there was one
   */
  #readTail(bytes: Buffer): boolean {
    const usage = bytes.lastIndexOf('"usage"');
    if (usage === -1) return false;
    const json = parseObject(`{${bytes.toString('utf8', usage)}`);
    if (json === undefined) return false;
    this.#tally.read(json);
    return true;
  }

  /** A long answer is scanned for where its usage stands, and only that is parsed. */
  #readUsage(bytes: Buffer): void {
    const document = scan(bytes);
    if (document !== undefined) this.#tally.read({ usage: readMember(document, 'usage') });
  }
}
