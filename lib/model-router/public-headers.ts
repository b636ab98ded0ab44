/**
 * Of the headers that a provider key may add, those that say nothing secret. Taken for secrets, `application/json` in
 * one of them would take every answer its type. In lower case.
 */
export const PUBLIC_HEADERS: ReadonlySet<string> = new Set([
  'accept',
  'accept-encoding',
  'accept-language',
  'cache-control',
  'content-type',
  'user-agent',
]);
