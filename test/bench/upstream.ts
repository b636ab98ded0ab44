import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { CHUNKS_BEFORE_HOLD, completion, plainEvents, rateLimitError, usageEvents } from './answers.ts';
import { GATEWAY_KEY, MODE_HEADER, REFUSALS_HEADER, REFUSING_PATH, SEEN_KEY_HEADER } from './wire.ts';

/** Larger bodies are conversations that are never streamed: they are not looked into. */
const LARGEST_STREAM_REQUEST = 16_384;

const CHUNK_INTERVAL_MS = 5;

/** What api.openai.com sends besides; a proxy copies each of them. */
const PROVIDER_HEADERS = {
  'access-control-expose-headers': 'X-Request-ID',
  'cf-cache-status': 'DYNAMIC',
  'cf-ray': '91e2f3a4bd5c6d7e-FRA',
  'openai-organization': 'org-bench',
  'openai-processing-ms': '412',
  'openai-version': '2020-10-01',
  server: 'cloudflare',
  'strict-transport-security': 'max-age=31536000; includeSubDomains; preload',
  'x-content-type-options': 'nosniff',
  'x-ratelimit-limit-requests': '10000',
  'x-ratelimit-limit-tokens': '30000000',
  'x-ratelimit-remaining-requests': '9999',
  'x-ratelimit-remaining-tokens': '29999900',
  'x-ratelimit-reset-requests': '6ms',
  'x-ratelimit-reset-tokens': '0s',
  'x-request-id': 'req_6f1c0a8e4f6c4a3d9c0e6d1f2b3a4c5d',
};

function answerJson(
  res: ServerResponse,
  status: number,
  body: Buffer,
  headers: Record<string, string> = {},
): void {
  res.writeHead(status, {
    'content-type': 'application/json',
    'content-length': body.length,
    ...PROVIDER_HEADERS,
    ...headers,
  });
  res.end(body);
}

/** As fast as they come: until the socket's buffer is full, then again when it has drained. */
function writeAll(res: ServerResponse, events: readonly Buffer[], from = 0): void {
  for (let index = from; index < events.length; index++) {
    if (!res.write(events[index])) {
      res.once('drain', () => writeAll(res, events, index + 1));
      return;
    }
  }
  res.end();
}

function writePaced(res: ServerResponse, events: readonly Buffer[]): void {
  let index = 0;
  const timer = setInterval(() => {
    res.write(events[index++]);
    if (index < events.length) return;
    clearInterval(timer);
    res.end();
  }, CHUNK_INTERVAL_MS);
  res.on('close', () => clearInterval(timer));
}

function stream(res: ServerResponse, mode: string, usage: boolean): void {
  res.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', ...PROVIDER_HEADERS });
  // A provider thinks before it speaks: the head leaves first.
  res.flushHeaders();
  const events = usage ? usageEvents : plainEvents;
  if (mode === 'paced') writePaced(res, events);
  else if (mode === 'hold') for (const event of events.slice(0, CHUNKS_BEFORE_HOLD)) res.write(event);
  else writeAll(res, events);
}

function keyOf(req: IncomingMessage): string {
  if (req.headers.authorization === undefined) return 'none';
  return req.headers.authorization === GATEWAY_KEY ? 'gateway' : 'client';
}

let refusals = 0;

function answer(req: IncomingMessage, res: ServerResponse, body: Buffer): void {
  if (req.url?.startsWith(REFUSING_PATH)) {
    refusals += 1;
    answerJson(res, 429, rateLimitError, { 'retry-after': '1' });
    return;
  }
  const mode = String(req.headers[MODE_HEADER] ?? '');
  if (mode === 'echo') {
    answerJson(res, 200, body, { [SEEN_KEY_HEADER]: keyOf(req), [REFUSALS_HEADER]: String(refusals) });
    return;
  }
  // One search instead of a parse: the mock shares its cores with what is measured.
  if (body.length > LARGEST_STREAM_REQUEST || !body.includes('"stream":true'))
    answerJson(res, 200, completion);
  else stream(res, mode, body.includes('"include_usage":true'));
}

const server = createServer((req, res) => {
  const pieces: Buffer[] = [];
  req.on('data', (piece: Buffer) => pieces.push(piece));
  req.on('end', () =>
    answer(req, res, pieces.length === 1 ? (pieces[0] ?? Buffer.alloc(0)) : Buffer.concat(pieces)),
  );
});
// An idle socket that the mock closed would show up as a gateway's error.
server.keepAliveTimeout = 0;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (typeof address === 'object') process.send?.({ port: address?.port });
});
process.on('disconnect', () => process.exit());
