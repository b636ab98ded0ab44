import type { ClientRequest, IncomingMessage } from 'node:http';
import type { RequestHeaders, UpstreamRequest } from './transport.ts';

/** Bodies up to this size go out in one write together with the head. */
const ONE_WRITE_BYTES = 16 * 1024;

/** Where the proxy sends a request. */
export interface Target {
  readonly protocol: string;
  readonly host: string;
  readonly hostname: string;
  readonly port: string;
  /** Path and query: with an empty `url`, the proxy takes it as it is and parses nothing. */
  readonly pathname: string;
}

/** The same of every request to one instance. */
export type Origin = Omit<Target, 'pathname'>;

/** Whom the proxy's events are for: one request under way. */
export interface ProxyEvents {
  /** A socket has been assigned; it may still be connecting. */
  onSocket(outgoing: ClientRequest): void;
  onAnswer(answer: IncomingMessage): void;
  onError(response: StandInResponse, error: unknown): void;
  /** The answer has ended before it was complete. */
  onBroken(response: StandInResponse, code: string): void;
}

const LIVE_SOCKET = { writable: true };

/**
 * Stands in for the client's request. The proxy keeps listeners on the pair it is given and destroys it when an
 * answer breaks off, so every try gets a pair of its own and the client's stays out of reach. It is no stream:
 * all the proxy does with it is to pipe it, once.
 */
export class StandInRequest {
  readonly method: string;
  readonly url = '';
  readonly headers: RequestHeaders;
  readonly httpVersion = '1.1';
  readonly httpVersionMajor = 1;
  readonly socket = LIVE_SOCKET;
  readonly target: Target;
  #body: readonly Buffer[] | undefined;

  constructor(request: UpstreamRequest, origin: Origin) {
    this.method = request.method;
    this.headers = request.headers;
    const { protocol, host, hostname, port } = origin;
    this.target = { protocol, host, hostname, port, pathname: request.path };
    this.#body = request.body;
  }

  /** Only `error` is listened for, and nothing here can fail. */
  on(): this {
    return this;
  }

  pipe(destination: ClientRequest): ClientRequest {
    const body = this.#body;
    // The proxy keeps this object for as long as the answer takes.
    this.#body = undefined;
    if (body === undefined) return destination.end();
    const length = body.reduce((sum, piece) => sum + piece.length, 0);
    // Node joins a string to the head and sends both in one write; a buffer would be a second one.
    if (length <= ONE_WRITE_BYTES) return destination.end(Buffer.concat(body).toString('latin1'), 'latin1');
    destination.cork();
    for (const piece of body) destination.write(piece);
    return destination.end();
  }
}

/** Stands in for the client's response, and tells the request under way what the proxy does to it. */
export class StandInResponse {
  readonly headersSent = false;
  readonly finished = false;
  readonly writableFinished = false;
  destroyed = false;
  readonly events: ProxyEvents;
  readonly #closeListeners: (() => void)[] = [];

  constructor(events: ProxyEvents) {
    this.events = events;
  }

  on(event: string, listener: () => void): this {
    if (event !== 'close') return this;
    if (this.destroyed) listener();
    else this.#closeListeners.push(listener);
    return this;
  }

  /** Called by the proxy when an answer ends before it is complete. */
  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.events.onBroken(this, 'ECONNRESET');
  }

  /** What the proxy takes for the client hanging up: it destroys its request and the answer at once. */
  close(): void {
    this.destroyed = true;
    for (const listener of this.#closeListeners) listener();
  }
}
