import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Looks per `timeoutMs`: a stall is noticed at most one look late. Looks are counted, not milliseconds, since a
 * process that was busy itself has not seen what the client read meanwhile.
 */
const LOOKS = 4;

/** Bytes that have left for the client. */
function bytesGone(socket: Socket): number {
  return socket.bytesWritten - socket.writableLength;
}

/**
 * Cuts a client that stops reading. Armed only while bytes wait for it. The socket's own timer would not do: what
 * the client sends restarts it too.
 */
export class StallGuard {
  readonly #res: ServerResponse;
  readonly #timeoutMs: number;
  readonly #onStall: () => void;
  #armed = false;
  #timer: NodeJS.Timeout | undefined;
  #socket: Socket | undefined;
  #timeoutOfHostMs = 0;

  constructor(res: ServerResponse, timeoutMs: number, onStall: () => void) {
    this.#res = res;
    this.#timeoutMs = timeoutMs;
    this.#onStall = onStall;
  }

  arm(): void {
    if (this.#armed) return;
    this.#armed = true;
    this.#res.once('close', this.disarm);
    // Behind an earlier response of a pipelining client, bytes wait for that one and not for the client.
    if (this.#res.socket === null) this.#res.once('socket', this.#watch);
    else this.#watch(this.#res.socket);
  }

  readonly disarm = (): void => {
    if (!this.#armed) return;
    this.#armed = false;
    clearInterval(this.#timer);
    this.#res.removeListener('close', this.disarm);
    this.#res.removeListener('socket', this.#watch);
    this.#restoreTimeout();
    this.#socket = undefined;
  };

  readonly #watch = (socket: Socket): void => {
    this.#socket = socket;
    this.#liftTimeout(socket);
    let gone = bytesGone(socket);
    let idleLooks = 0;
    this.#timer = setInterval(() => {
      const now = bytesGone(socket);
      idleLooks = now === gone ? idleLooks + 1 : 0;
      gone = now;
      if (idleLooks < LOOKS) return;
      this.disarm();
      this.#onStall();
    }, this.#timeoutMs / LOOKS);
    this.#timer.unref();
  };

  /** The host's time-out does not know a client that reads slowly from one that is gone. */
  #liftTimeout(socket: Socket): void {
    this.#timeoutOfHostMs = socket.timeout ?? 0;
    if (this.#timeoutOfHostMs > 0) socket.setTimeout(0);
  }

  #restoreTimeout(): void {
    const socket = this.#socket;
    // One that was set meanwhile is newer.
    if (socket === undefined || this.#timeoutOfHostMs === 0 || (socket.timeout ?? 0) > 0) return;
    socket.setTimeout(this.#timeoutOfHostMs);
  }
}
