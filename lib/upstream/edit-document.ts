import type { JsonDocument, Member } from '../request/json-document.ts';

/** A change to one top-level member: a new value, or its removal. */
export interface Edit {
  readonly key: string;
  /** The new value as JSON text; `undefined` removes the member. */
  readonly value: Buffer | undefined;
}

export function setMember(key: string, value: unknown): Edit {
  return { key, value: Buffer.from(JSON.stringify(value)) };
}

export function removeMember(key: string): Edit {
  return { key, value: undefined };
}

const COMMA = Buffer.from(',');
const OPEN = Buffer.from('{');
const CLOSE = Buffer.from('}');

function entry(edit: Edit, value: Buffer): Buffer[] {
  return [Buffer.from(`${JSON.stringify(edit.key)}:`), value];
}

function editOf(edits: readonly Edit[], member: Member): Edit | undefined {
  return edits.find((edit) => edit.key === member.key);
}

/** The members that no edit removes, a comma between each two. White space between members is lost. */
function rebuild({ bytes, members }: JsonDocument, edits: readonly Edit[]): Buffer[] {
  const entries: Buffer[][] = [];
  for (const member of members) {
    const edit = editOf(edits, member);
    if (edit === undefined) entries.push([bytes.subarray(member.start, member.valueEnd)]);
    else if (edit.value !== undefined) entries.push(entry(edit, edit.value));
  }
  for (const edit of edits) {
    if (edit.value !== undefined && !members.some((member) => member.key === edit.key)) {
      entries.push(entry(edit, edit.value));
    }
  }
  return [OPEN, ...entries.flatMap((pieces, index) => (index === 0 ? pieces : [COMMA, ...pieces])), CLOSE];
}

/** Every byte outside the new values stays as it came. */
function patch({ bytes, members }: JsonDocument, edits: readonly Edit[]): Buffer[] {
  const pieces: Buffer[] = [];
  let copied = 0;
  // A key given twice is changed twice: whichever the LLM takes, it is not the client's.
  for (const member of members) {
    const value = editOf(edits, member)?.value;
    if (value === undefined) continue;
    pieces.push(bytes.subarray(copied, member.valueStart), value);
    copied = member.valueEnd;
  }
  const last = members.at(-1);
  const end = last?.valueEnd ?? bytes.indexOf(OPEN) + 1;
  pieces.push(bytes.subarray(copied, end));
  let separated = last === undefined;
  for (const edit of edits) {
    if (edit.value === undefined || members.some((member) => member.key === edit.key)) continue;
    if (!separated) pieces.push(COMMA);
    separated = false;
    pieces.push(...entry(edit, edit.value));
  }
  pieces.push(bytes.subarray(end));
  return pieces;
}

/**
 * The document's bytes with the edits made, as pieces that follow each other: joining a megabyte costs more than
 * sending its parts. One piece, the document's own buffer, where the edits change nothing.
 */
export function editDocument(document: JsonDocument, edits: readonly Edit[]): readonly Buffer[] {
  const { bytes, members } = document;
  const removes = members.some((member) => {
    const edit = editOf(edits, member);
    return edit !== undefined && edit.value === undefined;
  });
  if (removes) return rebuild(document, edits);
  if (edits.every((edit) => edit.value === undefined)) return [bytes];
  return patch(document, edits);
}
