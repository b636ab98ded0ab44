import type { IncomingMessage, ServerResponse } from 'node:http';

/** Answers 401 in Apache APISIX's words, unless something else has answered by then. */
export function refuse(req: IncomingMessage, res: ServerResponse, realm: string, message: string): void {
  const answer = (): void => {
    if (res.headersSent || res.writableEnded || res.destroyed) return;
    const body = JSON.stringify({ message });
    const headers: Record<string, string> = {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
      'www-authenticate': `apikey realm="${realm}"`,
    };
    // The rest of a body that is refused unread must not be taken for the next request.
    if (!req.complete) headers.connection = 'close';
    res.writeHead(401, headers);
    res.end(req.method === 'HEAD' ? undefined : body);
  };
  // The parser has only come to the end of the head: whether more is to follow, it knows after what it has read.
  setImmediate(answer);
}
