import { createHash, randomBytes } from 'node:crypto';
import type { Entry, Resources } from './resources.ts';

export interface RotatedKey {
  readonly entry: Entry;
  /** The new key, which nobody can be told again. */
  readonly plaintext: string;
}

/** Gives a caller a new key, drawn at random; the old one is nobody's from then on. Only the new one's hash is kept. */
export async function rotate(callers: Resources, id: string): Promise<RotatedKey> {
  const plaintext = `sk-${randomBytes(32).toString('base64url')}`;
  const keyHash = createHash('sha256').update(plaintext).digest('hex');
  return { entry: await callers.amend(id, { key_hash: keyHash }), plaintext };
}
