import { StringDecoder } from 'node:string_decoder';
import { decodedBody } from '../answer/decode-bytes.ts';
import { isEventStream } from '../answer/make-reader.ts';
import type { Logger } from '../host.ts';
import { oneLine } from '../log/one-line.ts';
import type { AnswerSink, Attempt } from './attempt.ts';
import { redact } from './redact.ts';

/** How much of an answer that is not passed on goes into the log. */
const LOGGED_BYTES = 4 * 1024;

/** How long an encoded one may be. */
const DECODED_BYTES = 64 * 1024;

/** How long a failed answer may take to end. */
const DEADLINE_MS = 1000;

/** The text's first bytes, less a character that would be cut in two. */
function firstBytes(text: string, length: number): string {
  return new StringDecoder('utf8').write(Buffer.from(text).subarray(0, length));
}

/** Reads the little of a failed answer that is worth logging; what is read to its end leaves its socket usable. */
class Discard implements AnswerSink {
  readonly #attempt: Attempt;
  readonly #logger: Logger;
  readonly #status: number;
  readonly #message: string;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #logged = false;
  #endless = false;
  readonly #timer = setTimeout(() => this.#stop(), DEADLINE_MS).unref();

  constructor(attempt: Attempt, status: number, logger: Logger, message: string) {
    this.#attempt = attempt;
    this.#status = status;
    this.#logger = logger;
    this.#message = message;
  }

  onData(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#endless || this.#bytes > LOGGED_BYTES) this.#stop();
  }

  /** Waits for no end: that of an event stream may never come. */
  expectNoEnd(): void {
    this.#endless = true;
    if (this.#bytes > 0) this.#stop();
  }

  #stop(): void {
    this.#attempt.abort();
    this.#log();
  }

  onEnd(): void {
    this.#log();
  }

  onFailure(): void {
    this.#log();
  }

  #log(): void {
    // An answer that had come as a whole goes on until its end.
    if (this.#logged) return;
    this.#logged = true;
    clearTimeout(this.#timer);
    const { instance, secrets } = this.#attempt;
    const { head } = this.#attempt;
    const body = decodedBody(head, Buffer.concat(this.#chunks), DECODED_BYTES).toString();
    // Redacted before it is cut, lest half a secret be left over at the edge.
    const text = firstBytes(redact(body, secrets), LOGGED_BYTES);
    this.#chunks = [];
    this.#logger.warn({ instance: instance.name, status: this.#status, body: oneLine(text) }, this.#message);
  }
}

/**
 * Lets a failed answer go: its first 4 KiB into the log, nothing to the client.
 *
 * @param message what the log says of it
 */
export function discard(attempt: Attempt, status: number, logger: Logger, message: string): void {
  const sink = new Discard(attempt, status, logger, message);
  attempt.pipeTo(sink);
  void attempt.outcome.then((outcome) => {
    if (outcome.kind === 'answered' && isEventStream(outcome.head.headers)) sink.expectNoEnd();
  });
}
