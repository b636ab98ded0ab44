import type { IncomingMessage } from 'node:http';
import { GatewayError } from '../answer/gateway-error.ts';
import { ChunkList } from '../chunk-list.ts';
import { contentCoding } from '../content-coding.ts';
import { isObject } from '../protocols/json.ts';

export interface BodyLimits {
  readonly maxBytes: number;
  /** Longest silence while the client sends. */
  readonly timeoutMs: number;
}

const JSON_TYPE = /^\s*application\/json/i;

/** Methods that need no body. Without one they are passed through. */
const BODILESS_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS']);

function tooLarge(maxBytes: number): GatewayError {
  return new GatewayError(413, 'body_too_large', `The body is larger than ${maxBytes} bytes.`);
}

function unavailable(message: string): GatewayError {
  return new GatewayError(400, 'body_unavailable', message);
}

function checkLength(bytes: Buffer, maxBytes: number): Buffer {
  if (bytes.length > maxBytes) throw tooLarge(maxBytes);
  return bytes;
}

function refuseOtherTypes(req: IncomingMessage): void {
  const type = req.headers['content-type'];
  if (type !== undefined && !JSON_TYPE.test(type)) {
    throw new GatewayError(400, 'unsupported_content_type', 'The content-type must be application/json.');
  }
}

function refuseEncodings(req: IncomingMessage): void {
  if (contentCoding(req.headers) !== undefined) {
    throw new GatewayError(415, 'unsupported_content_encoding', 'The body must not be content-encoded.');
  }
}

function announcesBody(req: IncomingMessage): boolean {
  const length = req.headers['content-length'];
  return req.headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}

function toBytes(value: unknown, encoding: BufferEncoding = 'utf8'): Buffer | undefined {
  if (Buffer.isBuffer(value)) return value;
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return typeof value === 'string' ? Buffer.from(value, encoding) : undefined;
}

/** What a parser in front left behind: `rawBody`, as several of them keep it, else `body`. */
function bodyLeftBehind(req: IncomingMessage): Buffer | undefined {
  const raw = 'rawBody' in req ? toBytes(req.rawBody) : undefined;
  if (raw !== undefined) return raw;
  const body: unknown = 'body' in req ? req.body : undefined;
  const bytes = toBytes(body);
  if (bytes !== undefined || body === undefined || body === null) return bytes;
  if (!isObject(body)) throw new GatewayError(400, 'body_not_an_object', 'The body must be a JSON object.');
  // Parsers leave `{}` where they found nothing to parse: nobody sent that.
  if (!announcesBody(req) && Object.keys(body).length === 0) return undefined;
  try {
    return Buffer.from(JSON.stringify(body));
  } catch (cause) {
    throw new GatewayError(400, 'invalid_json', 'The body cannot be written as JSON.', { cause });
  }
}

/** Calls `onSilence` when the client sends nothing for that long; the returned function ends the watch. */
function watchForSilence(req: IncomingMessage, timeoutMs: number, onSilence: () => void): () => void {
  const { socket } = req;
  const timeoutOfHostMs = socket.timeout ?? 0;
  socket.setTimeout(timeoutMs);
  req.on('timeout', onSilence);
  return () => {
    req.removeListener('timeout', onSilence);
    socket.setTimeout(timeoutOfHostMs);
  };
}

/** Puts nothing together by itself: what throws in a listener ends the process. */
function readSocket(req: IncomingMessage, { maxBytes, timeoutMs }: BodyLimits): Promise<ChunkList> {
  const announced = Number(req.headers['content-length'] ?? Number.POSITIVE_INFINITY);
  if (announced > maxBytes && announced !== Number.POSITIVE_INFINITY) throw tooLarge(maxBytes);
  return new Promise((resolve, reject) => {
    const chunks = new ChunkList();
    let stopWatching: (() => void) | undefined;
    function fail(error: GatewayError): void {
      stopWatching?.();
      req.removeListener('data', collect);
      req.pause();
      reject(error);
    }
    function collect(chunk: unknown): void {
      // Strings, where something in front has called `setEncoding`.
      const bytes = toBytes(chunk, req.readableEncoding ?? undefined);
      if (bytes === undefined) fail(unavailable('The body does not come as bytes.'));
      else if (chunks.bytes + bytes.length > maxBytes) fail(tooLarge(maxBytes));
      else chunks.push(bytes);
    }
    req.on('data', collect);
    req.on('end', () => {
      stopWatching?.();
      resolve(chunks);
    });
    req.on('error', (cause) =>
      fail(new GatewayError(400, 'client_closed_request', 'The client closed the request.', { cause })),
    );
    // A small body has come with the head, and by the next tick it has been read: no timer then.
    process.nextTick(() => {
      // What a decoder has put in place of bytes may be longer than they were.
      const isWhole = chunks.bytes >= announced && req.readableEncoding === null;
      if (isWhole || req.complete || req.destroyed) return;
      stopWatching = watchForSilence(req, timeoutMs, () =>
        fail(new GatewayError(408, 'request_timeout', `No data from the client for ${timeoutMs} ms.`)),
      );
    });
  });
}

/**
 * The bytes of the request's body, from the socket or, where something read it already, from what that left.
 *
 * @returns `undefined` for a GET, HEAD, DELETE or OPTIONS without a body
 * @throws GatewayError 400 `unsupported_content_type`, `body_not_an_object`, `body_unavailable` (read by something
 *   that kept nothing), `invalid_json`; 408 `request_timeout`; 413 `body_too_large`; 415
 *   `unsupported_content_encoding`
 */
export async function readBody(req: IncomingMessage, limits: BodyLimits): Promise<Buffer | undefined> {
  // `readableDidRead`, not the presence of `req.body`: Express 4's parsers leave `{}` over an unread socket.
  const unread = !req.readableDidRead && !req.readableEnded;
  const bodiless = BODILESS_METHODS.has(req.method ?? '');
  if (bodiless && !announcesBody(req) && (unread || bodyLeftBehind(req) === undefined)) return undefined;
  refuseOtherTypes(req);
  if (unread) {
    refuseEncodings(req);
    const bytes = (await readSocket(req, limits)).take();
    return bodiless && bytes.length === 0 ? undefined : bytes;
  }
  const bytes = bodyLeftBehind(req);
  if (bytes !== undefined) return checkLength(bytes, limits.maxBytes);
  if (!announcesBody(req)) return Buffer.alloc(0);
  throw unavailable('The body was read before the gateway, and not kept.');
}
