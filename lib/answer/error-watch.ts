import { statusOfErrorEvent } from '../protocols/error-events.ts';
import { type JsonObject, parseObject } from '../protocols/json.ts';
import { eventEnd, eventStart } from './event-lines.ts';
import { findToken } from './find-token.ts';
import { splitEvents } from './sse.ts';

/**
 * The ends of `"error"` and `"response.failed"`, one of which is in every event that is an error. Text that quotes them
 * has a backslash before the last quote. Looking for what starts with a frequent byte would take several times as long.
 */
const ERROR_TOKEN = Buffer.from('rror"');
const FAILED_TOKEN = Buffer.from('.failed"');

/** An event that tells of an error. */
export interface ErrorEvent {
  readonly start: number;
  readonly json: JsonObject;
}

/** Where the first event with data ends; -1 where there is none. */
function endOfFirst(events: Buffer, from: number): number {
  const first = splitEvents(events.toString('latin1', from)).find(({ data }) => data !== undefined);
  return first === undefined ? -1 : from + first.end;
}

function findError(events: Buffer, from: number, token: Buffer): ErrorEvent | undefined {
  let behind = from;
  for (let at = findToken(events, token, from); at !== -1; at = findToken(events, token, behind)) {
    const start = eventStart(events, behind, at);
    behind = eventEnd(events, at);
    const [event] = splitEvents(events.toString('utf8', start, behind));
    const json = parseObject(event?.data ?? '');
    if (json !== undefined && statusOfErrorEvent(json) !== undefined) return { start, json };
  }
  return undefined;
}

/** Looks for an error in a stream that has begun: its first event is judged before anything is passed on. */
export class ErrorWatch {
  #hasBegun = false;

  /** The first event has been passed on without being looked at. */
  begin(): void {
    this.#hasBegun = true;
  }

  /** The first error in whole events. Only those that hold a token of one are parsed. */
  find(events: Buffer, from: number): ErrorEvent | undefined {
    const start = this.#hasBegun ? from : endOfFirst(events, from);
    if (start === -1) return undefined;
    this.#hasBegun = true;
    const error = findError(events, start, ERROR_TOKEN);
    const failed = findError(events, start, FAILED_TOKEN);
    if (error === undefined || failed === undefined) return error ?? failed;
    return failed.start < error.start ? failed : error;
  }
}
