import type { AnswerHead, Failure } from './outcome.ts';

/** By lower-case name. */
export type RequestHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** What to send, for any transport. */
export interface UpstreamRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** `host` and, with a body, `content-length` among them. */
  readonly headers: RequestHeaders;
  /** In pieces that follow each other. */
  readonly body: readonly Buffer[] | undefined;
}

/** Receives an answer. `onHead` comes first, then `onData`; exactly one of `onEnd` and `onFailure` ends it. */
export interface AnswerHandler {
  /** Longest silence, of the connecting, of the sending, and before each part of the answer. `Infinity` for no bound. */
  readonly silenceMs: number;
  onHead(head: AnswerHead): void;
  onData(chunk: Buffer): void;
  onEnd(): void;
  onFailure(failure: Failure): void;
}

/** A request under way. */
export interface Sending {
  /** Whether the whole request has been handed to a connection. */
  readonly wasSent: boolean;
  /** Closes the connection at once, whatever the phase. Nothing is called back afterwards. */
  abort(): void;
  /** Stops and resumes reading the answer. While paused, silence is nobody's fault. */
  pause(): void;
  resume(): void;
}

/** How requests reach one instance: the seam behind which the HTTP client can change. */
export interface Transport {
  /** Never throws: what goes wrong, at once or later, is an `onFailure`. */
  send(request: UpstreamRequest, handler: AnswerHandler): Sending;
  /** Requests sent again since a pooled socket turned out closed before any byte of an answer. */
  readonly replays: number;
  /** Closes idle sockets, now and as they come back; requests under way finish. */
  close(): void;
}
