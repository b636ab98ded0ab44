import zlib from 'node:zlib';
import { isJson } from '../answer/make-reader.ts';
import { replaceModel } from '../answer/replace-model.ts';
import { contentCoding } from '../content-coding.ts';
import type { WholeAnswer, WholeReader } from '../plan.ts';
import type { Protocol } from '../protocols/protocol.ts';
import type { AnswerHead } from '../upstream/outcome.ts';

/** Decoding holds everything else up. */
const BOUND = { maxOutputLength: 16 * 1024 * 1024 };

/** Decoders by content coding (RFC 9110 §8.4.1), which no upstream has been asked for. */
const DECODERS: ReadonlyMap<string, (bytes: Buffer) => Buffer> = new Map([
  ['gzip', (bytes) => zlib.gunzipSync(bytes, BOUND)],
  ['x-gzip', (bytes) => zlib.gunzipSync(bytes, BOUND)],
  ['deflate', (bytes) => zlib.inflateSync(bytes, BOUND)],
  ['br', (bytes) => zlib.brotliDecompressSync(bytes, BOUND)],
]);

function decode({ head: { headers }, bytes }: WholeAnswer): Buffer | undefined {
  const coding = contentCoding(headers);
  if (coding === undefined) return bytes;
  try {
    return DECODERS.get(coding)?.(bytes);
  } catch {
    // Broken or too large, it is as unreadable as one in an unknown encoding.
    return undefined;
  }
}

/** What is only true of the bytes that the upstream has sent (RFC 9110 §8, RFC 9530). */
const OF_THE_BYTES: ReadonlySet<string> = new Set([
  'content-encoding',
  'content-length',
  'content-md5',
  'content-digest',
  'repr-digest',
  'digest',
  'etag',
]);

/** The head of an answer whose bytes are others than the upstream's. */
function headOf({ status, headers }: AnswerHead): AnswerHead {
  const rest = Object.entries(headers).filter(([name]) => !OF_THE_BYTES.has(name));
  return { status, headers: Object.fromEntries(rest) };
}

/** Gives the model in plain answers the name that the caller has asked for. */
export function renamedAnswers(protocol: Protocol, name: string): WholeReader {
  const isGeneration = protocol.name !== 'passthrough';
  return {
    // What is merely passed on may be speech or an image.
    takes: ({ status, headers }) =>
      status >= 200 && status < 300 && status !== 204 && (isGeneration || isJson(headers)),
    read(answer) {
      const decoded = decode(answer);
      const bytes = decoded === undefined ? undefined : replaceModel(decoded, protocol, name);
      if (bytes === undefined) return isGeneration ? undefined : answer;
      return bytes === answer.bytes ? answer : { head: headOf(answer.head), bytes };
    },
  };
}
