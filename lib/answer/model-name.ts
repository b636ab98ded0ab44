import type { Protocol } from '../protocols/protocol.ts';
import { type Place, placesInDocument, placesInEvents, spells } from './model-places.ts';

/** The name that an answer's model is to have, and where its protocol puts it. Made once for many answers. */
export interface ModelRename {
  /** The name as JSON. */
  readonly name: Buffer;
  /** The protocol's `modelHolder` as JSON. */
  readonly holder: Buffer | undefined;
}

export function modelRename({ modelHolder }: Protocol, name: string): ModelRename {
  return {
    name: Buffer.from(JSON.stringify(name)),
    holder: modelHolder === undefined ? undefined : Buffer.from(JSON.stringify(modelHolder)),
  };
}

function replace(bytes: Buffer, places: readonly Place[], name: Buffer): Buffer {
  const pieces: Buffer[] = [];
  let copied = 0;
  for (const place of places) {
    if (spells(bytes, place, name)) continue;
    pieces.push(bytes.subarray(copied, place.start), name);
    copied = place.end;
  }
  if (copied === 0) return bytes;
  pieces.push(bytes.subarray(copied));
  return Buffer.concat(pieces);
}

/**
 * Whole events with the name of the model replaced in their data, every other byte as it came. Events that are not
 * JSON are left alone. The same buffer comes back where there is nothing to replace.
 *
 * @param from where the first event starts: behind a byte-order mark
 */
export function renameInEvents(events: Buffer, from: number, { name, holder }: ModelRename): Buffer {
  return replace(events, placesInEvents(events, from, holder), name);
}

/**
 * The same for a plain answer, which is known to be a JSON object.
 *
 * @param from where the object starts, or white space before it
 */
export function renameInDocument(bytes: Buffer, from: number, { name, holder }: ModelRename): Buffer {
  return replace(bytes, placesInDocument(bytes, from, holder), name);
}
