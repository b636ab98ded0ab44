import zlib from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { DecodingReader } from '../../lib/answer/decoding-reader.ts';
import { EventReader } from '../../lib/answer/event-reader.ts';
import type { Reader } from '../../lib/answer/reader.ts';
import { Tally } from '../../lib/answer/tally.ts';
import { protocols } from '../../lib/protocols/index.ts';
import { cutEvery, passThrough } from './replay.ts';
import { bytesOf } from './stream-fixtures.ts';

const encoders: readonly (readonly [string, (bytes: Buffer) => Buffer])[] = [
  ['gzip', (bytes) => zlib.gzipSync(bytes)],
  ['x-gzip', (bytes) => zlib.gzipSync(bytes)],
  ['GZIP ', (bytes) => zlib.gzipSync(bytes)],
  ['deflate', (bytes) => zlib.deflateSync(bytes)],
  ['br', (bytes) => zlib.brotliCompressSync(bytes)],
];

function decode(encoding: string, reader: Reader): DecodingReader {
  const decoding = DecodingReader.for(encoding, reader);
  if (decoding === undefined) throw new Error(`${encoding} is not decoded`);
  return decoding;
}

/** Counts what comes out of a decoder. */
function counter(): Reader & { readonly bytes: number } {
  let bytes = 0;
  return {
    atBoundary: true,
    brokenOff: false,
    get bytes() {
      return bytes;
    },
    push(chunk) {
      bytes += chunk.length;
      return chunk;
    },
    end: () => undefined,
    settled: () => undefined,
  };
}

describe('an encoded answer', () => {
  it.each(encoders)('in %s is counted, and passes as it is', async (encoding, encode) => {
    const bytes = encode(bytesOf('openai-chat-usage'));
    for (const size of [1, 7, bytes.length]) {
      const tally = new Tally(protocols['openai-chat'], false);
      const reader = decode(encoding, new EventReader(tally, false));
      const passed = passThrough(reader, cutEvery(bytes, size));
      await reader.settled();
      expect([passed.equals(bytes), tally.usage?.totalTokens]).toEqual([true, 29]);
    }
  });

  it('in an encoding nobody knows is not decoded', () => {
    expect(DecodingReader.for('zstd-x', counter())).toBeUndefined();
    expect(DecodingReader.for('gzip, br', counter())).toBeUndefined();
  });

  it('that breaks off, or is no such encoding, passes all the same', async () => {
    const cutShort = zlib.gzipSync(bytesOf('openai-chat-usage')).subarray(0, -10);
    for (const bytes of [cutShort, Buffer.from('not gzip at all'), Buffer.alloc(0)]) {
      const reader = decode('gzip', counter());
      expect(passThrough(reader, cutEvery(bytes, 5)).equals(bytes)).toBe(true);
      await reader.settled();
    }
  });

  it('that inflates without end is decoded no further than 64 MiB, and passes whole', async () => {
    const bomb = zlib.gzipSync(Buffer.alloc(100 * 1024 * 1024));
    const counted = counter();
    const reader = decode('gzip', counted);
    const passed = passThrough(reader, cutEvery(bomb, 16_384));
    await reader.settled();
    expect(passed.length).toBe(bomb.length);
    expect(counted.bytes).toBeLessThanOrEqual(64 * 1024 * 1024);
  });
});
