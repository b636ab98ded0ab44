import type { AnswerHead } from './outcome.ts';

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
export function rewrittenHead({ status, headers }: AnswerHead): AnswerHead {
  const rest = Object.entries(headers).filter(([name]) => !OF_THE_BYTES.has(name));
  return { status, headers: Object.fromEntries(rest) };
}
