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
  readonly #tally: Tally;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #tailOnly = false;

  constructor(tally: Tally) {
    this.#tally = tally;
  }

  /** The answer so far, for who wants it whole; `undefined` where it is too long to be kept. */
  whole(): Buffer | undefined {
    return this.#tailOnly ? undefined : Buffer.concat(this.#chunks, this.#bytes);
  }

  push(chunk: Buffer): Buffer {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes > MAX_KEPT_BYTES) this.#keepTail();
    return chunk;
  }

  #keepTail(): void {
    this.#tailOnly = true;
    let kept = this.#chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    while (this.#chunks.length > 1 && kept - (this.#chunks[0]?.length ?? 0) >= TAIL_BYTES) {
      kept -= this.#chunks.shift()?.length ?? 0;
    }
  }

  end(): undefined {
    const bytes = Buffer.concat(this.#chunks);
    this.#chunks = [];
    if (this.#tailOnly) this.#readTail(bytes);
    else if (bytes.length <= PARSE_WHOLE_BYTES || this.#tally.keepsText)
      this.#tally.readText(bytes.toString());
    else this.#readParts(bytes);
  }

  settled(): undefined {
    return undefined;
  }

  /** From the last `"usage"` on, the end of an object is the end of one that begins there. */
  #readTail(bytes: Buffer): void {
    const usage = bytes.lastIndexOf('"usage"');
    if (usage !== -1) this.#tally.readText(`{${bytes.toString('utf8', usage)}`);
  }

  #readParts(bytes: Buffer): void {
    const document = scan(bytes);
    if (document === undefined) return;
    const usage = readMember(document, 'usage');
    if (bytes.includes(this.#tally.toolCallToken)) this.#tally.readText(bytes.toString());
    else this.#tally.read({ usage });
  }
}
