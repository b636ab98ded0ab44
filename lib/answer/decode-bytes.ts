import type { IncomingHttpHeaders } from 'node:http';
import zlib from 'node:zlib';
import { contentCoding } from '../content-coding.ts';

export interface DecodeOptions {
  /** Longest result. Decoding holds everything else up. */
  readonly maxBytes: number;
  /** Whether the bytes may be the start of a body, of which is decoded what there is. */
  readonly mayEndEarly: boolean;
}

type Decoder = (bytes: Buffer, options: DecodeOptions) => Buffer;

const { Z_FINISH, Z_SYNC_FLUSH, BROTLI_OPERATION_FINISH, BROTLI_OPERATION_FLUSH } = zlib.constants;

function zlibOptions({ maxBytes, mayEndEarly }: DecodeOptions): zlib.ZlibOptions {
  return { maxOutputLength: maxBytes, finishFlush: mayEndEarly ? Z_SYNC_FLUSH : Z_FINISH };
}

function brotliOptions({ maxBytes, mayEndEarly }: DecodeOptions): zlib.BrotliOptions {
  return {
    maxOutputLength: maxBytes,
    finishFlush: mayEndEarly ? BROTLI_OPERATION_FLUSH : BROTLI_OPERATION_FINISH,
  };
}

function gunzip(bytes: Buffer, options: DecodeOptions): Buffer {
  return zlib.gunzipSync(bytes, zlibOptions(options));
}

/** Decoders by content coding (RFC 9110 §8.4.1). */
const DECODERS: ReadonlyMap<string, Decoder> = new Map<string, Decoder>([
  ['gzip', gunzip],
  ['x-gzip', gunzip],
  ['deflate', (bytes, options) => zlib.inflateSync(bytes, zlibOptions(options))],
  ['br', (bytes, options) => zlib.brotliDecompressSync(bytes, brotliOptions(options))],
]);

/**
 * Decodes bytes that are all there.
 *
 * @param coding in lower case
 * @returns `undefined` for what is broken, too large, or in a coding that is not known
 */
export function decodeBytes(bytes: Buffer, coding: string, options: DecodeOptions): Buffer | undefined {
  try {
    return DECODERS.get(coding)?.(bytes, options);
  } catch {
    return undefined;
  }
}

/**
 * What there is of a body that its upstream may have encoded unasked, for somebody who wants to read its beginning. As
 * it came where it cannot be decoded, or is longer than `maxBytes`.
 */
export function decodedBody(
  head: { readonly headers: IncomingHttpHeaders } | undefined,
  bytes: Buffer,
  maxBytes: number,
): Buffer {
  const coding = head && contentCoding(head.headers);
  if (coding === undefined) return bytes;
  return decodeBytes(bytes, coding, { maxBytes, mayEndEarly: true }) ?? bytes;
}
