/** Numbers and times as people read them. English like the page, whatever the browser speaks; times are local. */
export const format = /* js */ `
const grouping = new Intl.NumberFormat('en');
const clockFormat = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const dayFormat = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });

/** @param {number} number */
function whole(number) {
  return grouping.format(Math.round(number));
}

/** @param {number} share from 0 to 1 */
function percent(share) {
  return (share * 100).toFixed(1) + '%';
}

/** @param {number} count @param {string} one @param {string} [many] */
function counted(count, one, many) {
  return whole(count) + ' ' + (count === 1 ? one : (many ?? one + 's'));
}

/** @param {number} milliseconds */
function span(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 60) return seconds + ' s';
  if (seconds < 3600) return Math.floor(seconds / 60) + ' min';
  if (seconds < 86400) return Math.floor(seconds / 3600) + ' h';
  return counted(Math.floor(seconds / 86400), 'day');
}

/** @param {string} at ISO 8601 */
function clock(at) {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return at;
  const isToday = date.toDateString() === new Date().toDateString();
  return (isToday ? '' : dayFormat.format(date) + ', ') + clockFormat.format(date);
}
`;
