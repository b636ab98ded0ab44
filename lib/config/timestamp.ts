/** RFC 3339 §5.6; `T` and `Z` may be small, and a space may stand for the `T`. */
const TIMESTAMP =
  /^(\d{4})-(\d\d)-(\d\d)[T ]([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)(?:\.(\d+))?(?:Z|([+-])([01]\d|2[0-3]):([0-5]\d))$/i;

const MINUTE_MS = 60_000;

function offsetMs(sign: string | undefined, hours: string | undefined, minutes: string | undefined): number {
  if (sign === undefined) return 0;
  const ms = (Number(hours) * 60 + Number(minutes)) * MINUTE_MS;
  return sign === '-' ? -ms : ms;
}

/** Years before 100 would count as those of the last century. */
function startOfDay(year: number, month: number, day: number): number | undefined {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  // The 30th of February would be the 1st or 2nd of March.
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? date.getTime() : undefined;
}

/**
 * A time as RFC 3339 has it, in milliseconds since the epoch; finer fractions are cut off, and a leap second is the
 * first of the next minute. `undefined` for anything else.
 */
export function parseTimestamp(text: string): number | undefined {
  const match = TIMESTAMP.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hours, minutes, seconds, fraction = '', sign, offsetHours, offsetMinutes] =
    match;
  const start = startOfDay(Number(year), Number(month), Number(day));
  if (start === undefined) return undefined;
  const clock = ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000;
  const ms = Number(fraction.slice(0, 3).padEnd(3, '0'));
  return start + clock + ms - offsetMs(sign, offsetHours, offsetMinutes);
}
