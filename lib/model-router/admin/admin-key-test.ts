import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { digestOf } from '../../key-auth/key-index.ts';

/** No `\S`: some bytes of UTF-8 are blanks in Latin-1. */
const BEARER = /^Bearer +([^ ]+)$/i;

function presentedKeys({ headers }: IncomingMessage): readonly string[] {
  const bearer = BEARER.exec(headers.authorization ?? '')?.[1];
  // Node reads a head's bytes as Latin-1; a key of the environment is UTF-8.
  return [bearer, headers['x-api-key']].flatMap((key) =>
    typeof key === 'string' ? [Buffer.from(key, 'latin1').toString()] : [],
  );
}

/**
 * Makes the test whether a request shows one of the keys, as `Authorization: Bearer` or as `x-api-key`. The time it
 * takes says nothing of how much of a key was right.
 */
export function makeAdminKeyTest(keys: readonly string[]): (req: IncomingMessage) => boolean {
  const digests = keys.map(digestOf);
  return (req) =>
    presentedKeys(req).some((key) => {
      const digest = digestOf(key);
      // Not `some`: which of the keys it was shall not be seen either.
      return digests.filter((candidate) => timingSafeEqual(candidate, digest)).length > 0;
    });
}
