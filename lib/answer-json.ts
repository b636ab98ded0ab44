import type { IncomingMessage, ServerResponse } from 'node:http';

/**
 * Answers a request that comes to no gateway with a JSON body, unless something else has answered by then. Returns
 * at once; the answer is written a moment later.
 *
 * @param moreHeaders beside the content's type and length
 */
export function answerJson(
  req: IncomingMessage,
  res: ServerResponse,
  status: number,
  body: object,
  moreHeaders: Readonly<Record<string, string>> = {},
): void {
  const answer = (): void => {
    if (res.headersSent || res.writableEnded || res.destroyed) return;
    const text = JSON.stringify(body);
    const headers: Record<string, string> = {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(text)),
      ...moreHeaders,
    };
    // The rest of a body that is refused unread must not be taken for the next request.
    if (!req.complete) headers.connection = 'close';
    res.writeHead(status, headers);
    res.end(req.method === 'HEAD' ? undefined : text);
  };
  // The parser has only come to the end of the head: whether more is to follow, it knows after what it has read.
  setImmediate(answer);
}
