/** The size in front of a chunk, its extensions not looked at (RFC 9112 §7.1). */
const CHUNK_SIZE = /^([0-9a-f]{1,8})[ \t]*(?:;[^\r\n]*)?\r\n$/i;

/** No size and no trailer of an honest answer is longer. */
const MAX_LINE = 1024;

/** Finds the end of a chunked body. */
export interface ChunkedBody {
  /**
   * @param text a character per byte
   * @returns `ended` with its last byte; `broken` where this is no chunked body, or more than one
   */
  push(text: string): 'open' | 'ended' | 'broken';
}

export function makeChunkedBody(): ChunkedBody {
  let line = '';
  /** Bytes of a chunk, and the line break behind it, that are still to come. */
  let ahead = 0;
  let inTrailer = false;

  function readLine(): 'open' | 'ended' | 'broken' {
    const whole = line;
    line = '';
    if (inTrailer) return whole === '\r\n' ? 'ended' : 'open';
    const size = CHUNK_SIZE.exec(whole)?.[1];
    if (size === undefined) return 'broken';
    if (/^0+$/.test(size)) inTrailer = true;
    else ahead = Number.parseInt(size, 16) + 2;
    return 'open';
  }

  return {
    push(text) {
      let at = 0;
      while (at < text.length) {
        if (ahead > 0) {
          const skipped = Math.min(ahead, text.length - at);
          ahead -= skipped;
          at += skipped;
          continue;
        }
        const end = text.indexOf('\n', at);
        line += end === -1 ? text.slice(at) : text.slice(at, end + 1);
        if (line.length > MAX_LINE) return 'broken';
        if (end === -1) return 'open';
        at = end + 1;
        const found = readLine();
        if (found === 'ended' && at < text.length) return 'broken';
        if (found !== 'open') return found;
      }
      return 'open';
    },
  };
}
