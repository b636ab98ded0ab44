import type { IncomingHttpHeaders } from 'node:http';
import { contentCoding } from '../content-coding.ts';
import { DecodingReader } from './decoding-reader.ts';
import { EventReader, type EventReaderOptions } from './event-reader.ts';
import { PlainReader } from './plain-reader.ts';
import type { Reader } from './reader.ts';
import type { Tally } from './tally.ts';
import { unread } from './unread.ts';

const EVENT_STREAM = /^\s*text\/event-stream\b/i;
const JSON_TYPE = /^\s*application\/(?:[a-z.+-]*\+)?json\b/i;

export function isEventStream(headers: IncomingHttpHeaders): boolean {
  return EVENT_STREAM.test(headers['content-type'] ?? '');
}

export function isJson(headers: IncomingHttpHeaders): boolean {
  return JSON_TYPE.test(headers['content-type'] ?? '');
}

export function isEncoded(headers: IncomingHttpHeaders): boolean {
  return contentCoding(headers) !== undefined;
}

/**
 * The reader that fits an answer, by its headers.
 *
 * @param options what is done to an event stream, unless it is encoded; a plain answer is never changed
 */
export function makeReader(
  headers: IncomingHttpHeaders,
  tally: Tally,
  withholdsUsage: boolean,
  options: EventReaderOptions = {},
): Reader {
  const coding = contentCoding(headers);
  let reader = unread;
  // Inside an encoded stream nothing can be left out or changed.
  if (isEventStream(headers)) {
    reader =
      coding === undefined ? new EventReader(tally, withholdsUsage, options) : new EventReader(tally, false);
  } else if (isJson(headers)) {
    reader = new PlainReader(tally);
  }
  if (coding === undefined || reader === unread) return reader;
  return DecodingReader.for(coding, reader) ?? unread;
}
