import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** A reset overtakes what has been sent before it, on the way and in the client. */
const RESET_GRACE_MS = 100;

/** Ends a connection so that nobody takes its end for the end of an answer. */
function reset(socket: Socket): void {
  try {
    socket.resetAndDestroy();
  } catch {
    // Only plain TCP can be reset. TLS shows all the same that its end was not announced.
    socket.destroy();
  }
}

/** Whether the body says by itself where it ends. HTTP/1.0 knows no chunks: there the connection's end says it. */
function isFramed(res: ServerResponse): boolean {
  return res.chunkedEncoding || res.hasHeader('content-length');
}

/** Ends an answer that is not whole at once. */
export function breakOff(res: ServerResponse): void {
  if (isFramed(res) || res.socket === null) res.destroy();
  else reset(res.socket);
}

/** The same once everything written to the connection has gone out. */
export function breakOffSoon(res: ServerResponse, socket: Socket): void {
  if (isFramed(res)) socket.destroySoon();
  else if (!socket.destroyed) socket.write('', () => setTimeout(reset, RESET_GRACE_MS, socket));
}
