import type { IncomingMessage, ServerResponse } from 'node:http';

/** Answers a request that no LLM will, in APISIX's shape, unless something else has answered by then. */
export function answerUnserved(
  req: IncomingMessage,
  res: ServerResponse,
  status: number,
  message: string,
): void {
  const answer = (): void => {
    if (res.headersSent || res.writableEnded || res.destroyed) return;
    const body = JSON.stringify({ error_msg: message });
    const headers: Record<string, string> = {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
    };
    // The rest of a body that is refused unread must not be taken for the next request.
    if (!req.complete) headers.connection = 'close';
    res.writeHead(status, headers);
    res.end(req.method === 'HEAD' ? undefined : body);
  };
  // The parser has only come to the end of the head: whether more is to follow, it knows after what it has read.
  setImmediate(answer);
}
