import { CR, LF } from './sse.ts';

const DATA_NAME = Buffer.from('data:');

function isLineEnd(byte: number | undefined): boolean {
  return byte === LF || byte === CR;
}

/** Where the next line starts, from anywhere within a line on; behind the last, that is behind the bytes. */
export function lineBehind(bytes: Buffer, from: number): number {
  let at = from;
  while (at < bytes.length && !isLineEnd(bytes[at])) at++;
  return bytes[at] === CR && bytes[at + 1] === LF ? at + 2 : at + 1;
}

/** Where the event around `at` starts: behind the last blank line from `floor` on, else at `floor`. */
export function eventStart(bytes: Buffer, floor: number, at: number): number {
  for (let last = at - 1; last >= floor; last--) {
    if (!isLineEnd(bytes[last])) continue;
    const first = bytes[last] === LF && bytes[last - 1] === CR ? last - 1 : last;
    if (first > floor && isLineEnd(bytes[first - 1])) return last + 1;
  }
  return floor;
}

/** Where the event around `at`, which is within a line, ends: behind its blank line, else with the bytes. */
export function eventEnd(bytes: Buffer, at: number): number {
  for (let line = lineBehind(bytes, at); line < bytes.length; line = lineBehind(bytes, line)) {
    if (isLineEnd(bytes[line])) return lineBehind(bytes, line);
  }
  return bytes.length;
}

function startsData(bytes: Buffer, lineStart: number): boolean {
  for (let at = 0; at < DATA_NAME.length; at++) if (bytes[lineStart + at] !== DATA_NAME[at]) return false;
  return true;
}

/**
 * Where the next data of an event stands, from the start of a line on: behind the field's name. -1 where a blank
 * line, or the end of the bytes, comes first.
 */
export function nextData(bytes: Buffer, lineStart: number): number {
  for (let at = lineStart; at < bytes.length && !isLineEnd(bytes[at]); at = lineBehind(bytes, at)) {
    if (startsData(bytes, at)) return at + DATA_NAME.length;
  }
  return -1;
}
