import { oneLine } from '../log/one-line.ts';

/** Longer than any name that somebody has given a model. */
const MAX_LENGTH = 200;

/** A name that a caller has sent, to be read in an answer or a log: in quotation marks, in one line, of bounded length. */
export function quotedName(name: string): string {
  const shown = name.length > MAX_LENGTH ? `${name.slice(0, MAX_LENGTH)}…` : name;
  return JSON.stringify(oneLine(shown));
}
