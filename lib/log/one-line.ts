/** Control characters and line separators: they could break a log line in two, or rewrite a terminal. */
const BREAKS = /[\p{Cc}\p{Zl}\p{Zp}]+/gu;

/** Text of somebody else's that can be part of one line of a log. */
export function oneLine(text: string): string {
  return text.replaceAll(BREAKS, ' ');
}
