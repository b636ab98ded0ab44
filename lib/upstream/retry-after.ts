import type { IncomingHttpHeaders } from 'node:http';

const NUMBER = /^\d+(?:\.\d+)?$/;

/**
 * The three forms of an HTTP-date, all of which must be understood (RFC 9110 §5.6.7): of today, of RFC 850, and of
 * asctime(), which does not say that it is in GMT. `Date.parse` alone would take much else for a date.
 */
const DATE = /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/;
const RFC_850_DATE = /^[A-Z][a-z]{5,8}, \d\d-[A-Z][a-z]{2}-\d\d \d\d:\d\d:\d\d GMT$/;
const ASCTIME_DATE = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}$/;

function parseNumber(text: string): number | undefined {
  return NUMBER.test(text) ? Number(text) : undefined;
}

function parseDate(text: string): number | undefined {
  const isDate = DATE.test(text) || RFC_850_DATE.test(text);
  if (!isDate && !ASCTIME_DATE.test(text)) return undefined;
  const atMs = Date.parse(isDate ? text : `${text} GMT`);
  return Number.isNaN(atMs) ? undefined : atMs;
}

function textOf(headers: IncomingHttpHeaders, name: string): string {
  const value = headers[name];
  return typeof value === 'string' ? value.trim() : '';
}

/** Milliseconds, which may not be a safe integer yet. */
function askedMs(headers: IncomingHttpHeaders, nowMs: number): number | undefined {
  const ms = parseNumber(textOf(headers, 'retry-after-ms'));
  if (ms !== undefined) return ms;
  const text = textOf(headers, 'retry-after');
  const seconds = parseNumber(text);
  if (seconds !== undefined) return seconds * 1000;
  const atMs = parseDate(text);
  return atMs === undefined ? undefined : Math.max(0, atMs - nowMs);
}

/**
 * How long an upstream asks to be left alone: `retry-after-ms`, which OpenAI and Azure send beside the other, else
 * `retry-after` in seconds, fractions too, or as a date (RFC 9110 §10.2.3).
 *
 * @param nowMs since the epoch
 * @returns whole milliseconds, 0 for a date that has passed; `undefined` where neither header makes sense
 */
export function retryAfterMs(headers: IncomingHttpHeaders, nowMs: number): number | undefined {
  const ms = askedMs(headers, nowMs);
  return ms === undefined ? undefined : Math.min(Math.ceil(ms), Number.MAX_SAFE_INTEGER);
}
