import type { ClientRequest, IncomingMessage } from 'node:http';
import { createProxyMiddleware } from 'http-proxy-middleware';
import {
  makeSocketPool,
  type SocketOptions,
  type SocketPool,
  type SocketUser,
  socketTimeout,
} from './instance-agent.ts';
import type { Failure } from './outcome.ts';
import { type Origin, type ProxyEvents, StandInRequest, StandInResponse } from './stand-in-pair.ts';
import type { AnswerHandler, RequestHeaders, Sending, Transport, UpstreamRequest } from './transport.ts';

/** What the proxy reads of the request it believes to be a client's. */
interface ProxiedRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: RequestHeaders;
}

/** What it does with the response it believes to go to a client. */
interface ProxiedResponse {
  on(event: string, listener: () => void): unknown;
}

/** Method parameters are compared both ways, which lets the proxy be handed less than a whole message. */
interface Proxy {
  handle(req: ProxiedRequest, res: ProxiedResponse, next: (error?: unknown) => void): unknown;
}

/** Error codes of Node's HTTP parser: what came is not HTTP, or its head is larger than Node takes. */
const PARSER_ERROR = /^HPE_/;

/** Codes of a connection that was there and broke; every other failure before an answer is a refusal. */
const BROKEN_CONNECTION: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE']);

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'UNKNOWN';
}

/** One request under way, from the connection to the last byte of the answer. */
class HttpSending implements Sending, SocketUser, ProxyEvents {
  readonly #transport: HttpProxyTransport;
  /** Kept until there is an answer, should it have to be sent again. */
  #request: UpstreamRequest | undefined;
  readonly #handler: AnswerHandler;
  #response: StandInResponse;
  #outgoing: ClientRequest | undefined;
  #answer: IncomingMessage | undefined;
  #ended = false;
  #timedOut = false;
  #paused = false;
  #replayed = false;
  #firstInterimAt: number | undefined;
  /** What had come over the socket before, for others. */
  #bytesReadBefore = 0;

  constructor(transport: HttpProxyTransport, request: UpstreamRequest, handler: AnswerHandler) {
    this.#transport = transport;
    this.#request = request;
    this.#handler = handler;
    this.#response = this.#dispatch(request);
  }

  #dispatch(request: UpstreamRequest): StandInResponse {
    const response = new StandInResponse(this);
    this.#transport.proxy.handle(new StandInRequest(request, this.#transport.origin), response, (error) =>
      this.onError(response, error),
    );
    return response;
  }

  get silenceMs(): number {
    return this.#handler.silenceMs;
  }

  get wasSent(): boolean {
    return this.#outgoing?.writableFinished === true;
  }

  abort(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#response.close();
  }

  pause(): void {
    this.#paused = true;
    this.#answer?.pause();
  }

  resume(): void {
    this.#paused = false;
    // The silence of the pause was the reader's.
    this.#outgoing?.socket?.setTimeout(socketTimeout(this.silenceMs));
    this.#answer?.resume();
  }

  onSocket(outgoing: ClientRequest): void {
    this.#outgoing = outgoing;
    this.#bytesReadBefore = outgoing.socket?.bytesRead ?? 0;
    if (outgoing.socket !== null) this.#transport.sockets.lend(outgoing.socket, this);
    // Interim answers end no silence: an upstream could send them for ever.
    outgoing.on('information', () => this.#onInterim());
    // An upstream that switches protocols unasked: unheard, Node would close the socket and say nothing.
    outgoing.on('upgrade', (_answer, socket) => {
      socket.destroy();
      this.#reject('UPGRADE');
    });
  }

  onSilence(): void {
    if (this.#paused || this.#ended) return;
    this.#timedOut = true;
    this.#outgoing?.destroy();
  }

  #onInterim(): void {
    const now = performance.now();
    this.#firstInterimAt ??= now;
    if (now - this.#firstInterimAt >= this.silenceMs) this.onSilence();
  }

  get keepAliveHint(): string | undefined {
    return this.#answer?.headers['keep-alive']?.toString();
  }

  onAnswer(answer: IncomingMessage): void {
    if (this.#ended) return;
    const status = answer.statusCode ?? 0;
    // Node's parser takes any three digits, but nobody can be answered with `050`.
    if (status < 200) {
      this.#reject('STATUS');
      return;
    }
    this.#answer = answer;
    this.#request = undefined;
    this.#handler.onHead({ status, headers: answer.headers });
    answer.on('data', (chunk: Buffer) => {
      if (!this.#ended) this.#handler.onData(chunk);
    });
    answer.on('end', () => {
      if (this.#ended || !answer.complete) return;
      this.#ended = true;
      this.#handler.onEnd();
    });
  }

  /** An answer that is HTTP, but none that could be passed on. */
  #reject(detail: string): void {
    if (this.#ended) return;
    this.abort();
    this.#handler.onFailure({ kind: 'invalid', detail });
  }

  onError(response: StandInResponse, error: unknown): void {
    this.onBroken(response, codeOf(error));
  }

  /** The connection failed, or the answer broke off. Errors of a pair that has been replaced are stale. */
  onBroken(response: StandInResponse, code: string): void {
    if (this.#ended || response !== this.#response) return;
    if (this.#request !== undefined && this.#isStaleSocket(code)) {
      this.#replay(this.#request);
      return;
    }
    this.#ended = true;
    response.destroyed = true;
    this.#handler.onFailure(this.#failure(code));
  }

  /** A pooled socket that the server had closed meanwhile: no byte of an answer has come over it. */
  #isStaleSocket(code: string): boolean {
    return (
      !this.#replayed &&
      !this.#timedOut &&
      this.#outgoing?.reusedSocket === true &&
      this.#outgoing.socket?.bytesRead === this.#bytesReadBefore &&
      BROKEN_CONNECTION.has(code)
    );
  }

  #replay(request: UpstreamRequest): void {
    this.#replayed = true;
    this.#response.destroyed = true;
    this.#transport.prepareReplay();
    this.#outgoing = undefined;
    this.#response = this.#dispatch(request);
  }

  #failure(code: string): Failure {
    if (this.#timedOut) return { kind: 'timed-out', detail: 'ETIMEDOUT' };
    if (PARSER_ERROR.test(code)) return { kind: 'invalid', detail: code };
    const connected = this.#answer !== undefined || BROKEN_CONNECTION.has(code);
    return { kind: connected ? 'reset' : 'refused', detail: code };
  }
}

function makeProxy(sockets: SocketPool, verifyCertificate: boolean): Proxy {
  return {
    handle: createProxyMiddleware({
      router: (req) => (req instanceof StandInRequest ? req.target : ''),
      // The default filter parses every URL.
      pathFilter: () => true,
      agent: sockets.agent,
      secure: verifyCertificate,
      selfHandleResponse: true,
      // The default plugins log a line and build a URL per answer, and write error pages of their own.
      ejectPlugins: true,
      plugins: [
        (proxyServer) => {
          proxyServer.on('proxyReq', (outgoing, _req, res) => {
            if (res instanceof StandInResponse) res.events.onSocket(outgoing);
          });
          proxyServer.on('proxyRes', (answer, _req, res) => {
            if (res instanceof StandInResponse) res.events.onAnswer(answer);
          });
          proxyServer.on('error', (error, _req, res) => {
            if (res instanceof StandInResponse) res.events.onError(res, error);
          });
        },
      ],
    }),
  };
}

/** Sends through http-proxy-middleware, whose `selfHandleResponse` hands the answer over as it arrives. */
export class HttpProxyTransport implements Transport {
  readonly origin: Origin;
  readonly sockets: SocketPool;
  readonly #verifyCertificate: boolean;
  #proxy: Proxy | undefined;
  #replays = 0;

  /** @param origin scheme, host and port of the instance; the rest of the URL is not looked at */
  constructor(origin: URL, options: SocketOptions) {
    const hostname = origin.hostname.replace(/^\[|\]$/g, '');
    const port = origin.port || (origin.protocol === 'https:' ? '443' : '80');
    this.origin = { protocol: origin.protocol, host: hostname, hostname, port };
    this.sockets = makeSocketPool(origin.protocol, hostname, options);
    this.#verifyCertificate = options.verifyCertificate;
  }

  /** Made for the first request: of a thousand models, many are never asked. */
  get proxy(): Proxy {
    this.#proxy ??= makeProxy(this.sockets, this.#verifyCertificate);
    return this.#proxy;
  }

  get replays(): number {
    return this.#replays;
  }

  /** Whatever closed one idle socket has most likely closed the others, so the replay gets a fresh one. */
  prepareReplay(): void {
    this.#replays++;
    this.sockets.closeIdle();
  }

  send(request: UpstreamRequest, handler: AnswerHandler): Sending {
    return new HttpSending(this, request, handler);
  }

  close(): void {
    this.sockets.close();
  }
}
