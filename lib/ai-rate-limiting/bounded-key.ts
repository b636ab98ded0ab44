import { createHash } from 'node:crypto';

const LONGEST_KEY = 256;

/** What is kept of a long key as it stands: the part that a Redis user's key patterns look at. */
const KEPT_OF_LONG_KEY = 128;

const LONE_SURROGATE = /\p{Surrogate}/u;

/** V8's slice of a string keeps the whole of it alive: 20 characters of a URL would cost as much as the URL. */
export function copied(text: string): string {
  return Buffer.from(text).toString();
}

/**
 * The key, or one of a fixed length in its place: keys may hold what clients send, and a header of 16 KiB, a new one
 * with each request, would fill the memory that the number of keys is meant to bound. What keeps it must copy it.
 */
export function boundedKey(given: string): string {
  // Written anywhere, half a character becomes another one, and what was written would not be found again.
  const key = LONE_SURROGATE.test(given) ? copied(given) : given;
  if (key.length <= LONGEST_KEY) return key;
  return `${copied(key.slice(0, KEPT_OF_LONG_KEY))}:${createHash('sha256').update(key).digest('hex')}`;
}
