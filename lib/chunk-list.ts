/** Chunks put together at a time. */
const RUN = 1024;

/**
 * Bytes kept as the chunks they came in, without a copy. Each chunk costs about a hundred bytes beside what it
 * holds, so where somebody sends byte by byte, runs of chunks are put together, each byte once.
 */
export class ChunkList {
  #runs: Buffer[] = [];
  #chunks: Buffer[] = [];
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#bytes += chunk.length;
    this.#chunks.push(chunk);
    if (this.#chunks.length < RUN) return;
    this.#runs.push(Buffer.concat(this.#chunks));
    this.#chunks = [];
  }

  /** All of it in one piece; the list is empty afterwards. */
  take(): Buffer {
    const all = this.#runs.length === 0 ? this.#chunks : [...this.#runs, ...this.#chunks];
    const [first] = all;
    const taken = first !== undefined && all.length === 1 ? first : Buffer.concat(all, this.#bytes);
    this.clear();
    return taken;
  }

  clear(): void {
    this.#runs = [];
    this.#chunks = [];
    this.#bytes = 0;
  }
}
