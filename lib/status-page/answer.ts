import type { IncomingMessage, ServerResponse } from 'node:http';

/** On every answer: what is shown is nobody else's, is never kept, and tells no other site where it was seen. */
export const COMMON_HEADERS = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
} as const;

/** Sends a whole answer; the body stays away from a HEAD. */
export function answer(
  req: IncomingMessage,
  res: ServerResponse,
  status: number,
  body: string,
  headers: Readonly<Record<string, string>>,
): void {
  res.writeHead(status, {
    ...COMMON_HEADERS,
    'content-length': String(Buffer.byteLength(body)),
    ...headers,
  });
  res.end(req.method === 'HEAD' ? undefined : body);
}

/** Says in a sentence why there is nothing to see. */
export function refuse(
  req: IncomingMessage,
  res: ServerResponse,
  status: number,
  sentence: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  answer(req, res, status, `${sentence}\n`, { 'content-type': 'text/plain; charset=utf-8', ...headers });
}
