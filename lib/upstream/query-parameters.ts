function nameOf(pair: string): string {
  const equals = pair.indexOf('=');
  const name = (equals === -1 ? pair : pair.slice(0, equals)).replaceAll('+', ' ');
  try {
    return decodeURIComponent(name);
  } catch {
    // A malformed escape stands for itself (WHATWG URL §5.1 leaves it as it is).
    return name;
  }
}

/** A URL less the query parameters of these names; whatever else is in it stays as it is written. */
export function withoutParameters(url: string, names: readonly string[] | undefined): string {
  const mark = url.indexOf('?');
  if (mark === -1 || names === undefined || names.length === 0) return url;
  const pairs = url.slice(mark + 1).split('&');
  const kept = pairs.filter((pair) => !names.includes(nameOf(pair)));
  if (kept.length === pairs.length) return url;
  return kept.length === 0 ? url.slice(0, mark) : `${url.slice(0, mark)}?${kept.join('&')}`;
}
