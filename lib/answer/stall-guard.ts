import type { ServerResponse } from 'node:http';

/**
 * Cuts a client that stops reading. Armed only while bytes wait for it, on the socket's own timer, which every
 * bit of progress restarts.
 */
export class StallGuard {
  readonly #res: ServerResponse;
  readonly #timeoutMs: number;
  readonly #onStall: () => void;
  #timeoutOfHostMs: number | undefined;

  constructor(res: ServerResponse, timeoutMs: number, onStall: () => void) {
    this.#res = res;
    this.#timeoutMs = timeoutMs;
    this.#onStall = onStall;
  }

  arm(): void {
    if (this.#timeoutOfHostMs !== undefined || this.#res.socket === null) return;
    this.#timeoutOfHostMs = this.#res.socket.timeout ?? 0;
    this.#res.setTimeout(this.#timeoutMs);
    this.#res.on('timeout', this.#onStall);
  }

  disarm(): void {
    if (this.#timeoutOfHostMs === undefined) return;
    this.#res.removeListener('timeout', this.#onStall);
    this.#res.socket?.setTimeout(this.#timeoutOfHostMs);
    this.#timeoutOfHostMs = undefined;
  }
}
