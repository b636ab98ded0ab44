import type { Transform } from 'node:stream';
import { makeDecoder } from './decoders.ts';
import type { Reader } from './reader.ts';

/** A small answer can inflate without end; usage that comes later than this is not counted. */
const MAX_DECODED_BYTES = 64 * 1024 * 1024;

/**
 * Reads an answer that the upstream compressed although nobody asked for it. The client gets it as it came; a
 * copy is decoded for the reader behind.
 */
export class DecodingReader implements Reader {
  readonly atBoundary = true;
  readonly brokenOff = false;
  readonly #decoder: Transform;
  readonly #settled: Promise<void>;

  private constructor(decoder: Transform, reader: Reader) {
    this.#decoder = decoder;
    let decoded = 0;
    decoder.on('data', (chunk: Buffer) => {
      decoded += chunk.length;
      if (decoded > MAX_DECODED_BYTES) decoder.destroy();
      else reader.push(chunk);
    });
    this.#settled = new Promise((resolve) => {
      decoder.on('end', () => reader.end());
      // What cannot be decoded is passed on all the same, and simply not counted.
      decoder.on('error', () => resolve());
      decoder.on('close', () => resolve());
    });
  }

  /** `undefined` for an encoding that cannot be decoded here. */
  static for(encoding: string, reader: Reader): DecodingReader | undefined {
    const decoder = makeDecoder(encoding.trim().toLowerCase());
    return decoder === undefined ? undefined : new DecodingReader(decoder, reader);
  }

  push(chunk: Buffer): Buffer {
    if (!this.#decoder.destroyed) this.#decoder.write(chunk);
    return chunk;
  }

  end(): undefined {
    if (!this.#decoder.destroyed) this.#decoder.end();
  }

  settled(): Promise<void> {
    return this.#settled;
  }
}
