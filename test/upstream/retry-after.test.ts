import type { IncomingHttpHeaders } from 'node:http';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { retryAfterMs } from '../../lib/upstream/retry-after.ts';

const nowMs = Date.UTC(2026, 5, 1, 12, 0, 0);

const table: readonly (readonly [string, IncomingHttpHeaders, number | undefined])[] = [
  ['no header', {}, undefined],
  ['seconds', { 'retry-after': '120' }, 120_000],
  ['zero seconds', { 'retry-after': '0' }, 0],
  ['a fraction of a second', { 'retry-after': '1.5' }, 1500],
  ['less than a millisecond, rounded up', { 'retry-after': '0.0001' }, 1],
  ['blanks around the seconds', { 'retry-after': ' 7 ' }, 7000],
  ['milliseconds', { 'retry-after-ms': '350' }, 350],
  ['milliseconds rather than seconds', { 'retry-after-ms': '350', 'retry-after': '9' }, 350],
  ['seconds where the milliseconds are garbage', { 'retry-after-ms': 'soon', 'retry-after': '9' }, 9000],
  ['a date', { 'retry-after': 'Mon, 01 Jun 2026 12:00:30 GMT' }, 30_000],
  ['a date in the form of RFC 850', { 'retry-after': 'Monday, 01-Jun-26 12:00:30 GMT' }, 30_000],
  ['a date in the form of asctime()', { 'retry-after': 'Mon Jun  1 12:00:30 2026' }, 30_000],
  ['a date that has passed', { 'retry-after': 'Sun, 06 Nov 1994 08:49:37 GMT' }, 0],
  ['a date that does not exist', { 'retry-after': 'Mon, 99 Jun 2026 12:00:30 GMT' }, undefined],
  ['a month that does not exist', { 'retry-after': 'Mon, 01 Jux 2026 12:00:30 GMT' }, undefined],
  ['a date in another form', { 'retry-after': '2026-06-01T12:00:30Z' }, undefined],
  ['what Date.parse would take for a date', { 'retry-after': 'soon 5' }, undefined],
  ['a negative number', { 'retry-after': '-5' }, undefined],
  ['an exponent', { 'retry-after': '1e3' }, undefined],
  ['a hexadecimal number', { 'retry-after': '0x10' }, undefined],
  ['infinity', { 'retry-after': 'Infinity' }, undefined],
  ['an empty value', { 'retry-after': '' }, undefined],
  ['two values in one', { 'retry-after-ms': '1, 2' }, undefined],
  ['a number too large to be safe', { 'retry-after': '9007199254740991' }, Number.MAX_SAFE_INTEGER],
  ['a number too large for any number', { 'retry-after-ms': '9'.repeat(400) }, Number.MAX_SAFE_INTEGER],
];

describe('retryAfterMs', () => {
  it.each(table)('reads %s', (_title, headers, expected) => {
    expect(retryAfterMs(headers, nowMs)).toBe(expected);
  });

  it('gives a safe integer from 0 on, or nothing, for any value at all', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (seconds, ms) => {
        const found = retryAfterMs({ 'retry-after': seconds, 'retry-after-ms': ms }, nowMs);
        if (found === undefined) return;
        expect(Number.isSafeInteger(found)).toBe(true);
        expect(found).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});
