import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** Characters. Whatever is longer is nobody's key, and not worth a digest. */
export const LONGEST_KEY = 4096;

/** Drawn by each process for itself, so that nobody else knows what any key's digest looks like. */
const secret = randomBytes(32);

/** What stands for a key: as long as any other's, and telling nothing of it. */
export function digestOf(key: string): Buffer {
  return createHmac('sha256', secret).update(key).digest();
}

/** Finds who a key belongs to, by its digest. */
export interface KeyIndex<Owner> {
  find(digest: Buffer): Owner | undefined;
  /** Replaces the owner that this digest had before. */
  set(digest: Buffer, owner: Owner): void;
  /** Does nothing where the digest is meanwhile somebody else's. */
  remove(digest: Buffer, owner: Owner): void;
}

/**
 * However many keys there are, one look-up is one step. The map does compare digests from their first byte on, but
 * without the secret a guess says nothing about how its digest begins, so the time it takes teaches nobody anything;
 * the keys themselves are compared nowhere.
 */
export function makeKeyIndex<Owner>(): KeyIndex<Owner> {
  const entries = new Map<string, { readonly digest: Buffer; readonly owner: Owner }>();
  const nameOf = (digest: Buffer): string => digest.toString('latin1');
  return {
    find(digest) {
      const entry = entries.get(nameOf(digest));
      return entry !== undefined && timingSafeEqual(entry.digest, digest) ? entry.owner : undefined;
    },
    set(digest, owner) {
      entries.set(nameOf(digest), { digest, owner });
    },
    remove(digest, owner) {
      const name = nameOf(digest);
      if (entries.get(name)?.owner === owner) entries.delete(name);
    },
  };
}
