import type { Transform } from 'node:stream';
import zlib from 'node:zlib';

/** By content coding (RFC 9110 §8.4.1). */
const DECODERS: ReadonlyMap<string, () => Transform> = new Map<string, () => Transform>([
  ['gzip', () => zlib.createGunzip()],
  ['x-gzip', () => zlib.createGunzip()],
  ['deflate', () => zlib.createInflate()],
  ['br', () => zlib.createBrotliDecompress()],
]);

/**
 * Decodes a body as it comes.
 *
 * @param coding in lower case
 * @returns `undefined` for a coding that is not known
 */
export function makeDecoder(coding: string): Transform | undefined {
  return DECODERS.get(coding)?.();
}
