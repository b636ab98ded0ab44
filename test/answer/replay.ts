import fc from 'fast-check';
import type { Reader } from '../../lib/answer/reader.ts';

/** The bytes as chunks, cut at these offsets. */
export function cutAt(bytes: Buffer, offsets: readonly number[]): Buffer[] {
  const ends = [...offsets, bytes.length];
  return ends.map((end, index) => bytes.subarray(index === 0 ? 0 : ends[index - 1], end));
}

/** The bytes as chunks of one size. */
export function cutEvery(bytes: Buffer, size: number): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
  return chunks;
}

/** Every way to cut the bytes in two, an empty piece included. */
export function inTwo(bytes: Buffer): Buffer[][] {
  return Array.from({ length: bytes.length + 1 }, (_, offset) => cutAt(bytes, [offset]));
}

/** Arbitrary cuts, as lists of offsets. */
export function cuts(bytes: Buffer): fc.Arbitrary<number[]> {
  return fc
    .uniqueArray(fc.nat(bytes.length), { maxLength: 40 })
    .map((offsets) => offsets.sort((left, right) => left - right));
}

/** What a reader lets through of a whole stream. */
export function passThrough(reader: Reader, chunks: readonly Buffer[]): Buffer {
  const passed: Buffer[] = [];
  for (const chunk of chunks) {
    const now = reader.push(chunk);
    if (now !== undefined) passed.push(now);
  }
  const last = reader.end();
  if (last !== undefined) passed.push(last);
  return Buffer.concat(passed);
}
