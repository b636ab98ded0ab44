import type { Transform } from 'node:stream';
import { makeDecoder } from '../answer/decoders.ts';
import { isEventStream } from '../answer/make-reader.ts';
import { contentCoding } from '../content-coding.ts';
import type { AnswerHead, Failure } from './outcome.ts';
import { rewrittenHead } from './rewritten-head.ts';
import type { AnswerHandler, Sending, Transport, UpstreamRequest } from './transport.ts';

function decoderFor({ headers }: AnswerHead): Transform | undefined {
  const coding = isEventStream(headers) ? contentCoding(headers) : undefined;
  return coding === undefined ? undefined : makeDecoder(coding);
}

/** A request whose answer goes through a decoder where it is an encoded stream. */
class DecodedSending implements Sending, AnswerHandler {
  readonly #handler: AnswerHandler;
  readonly #sending: Sending;
  #decoder: Transform | undefined;
  #paused = false;
  #ended = false;

  constructor(transport: Transport, request: UpstreamRequest, handler: AnswerHandler) {
    this.#handler = handler;
    this.#sending = transport.send(request, this);
  }

  get silenceMs(): number {
    return this.#handler.silenceMs;
  }

  get wasSent(): boolean {
    return this.#sending.wasSent;
  }

  abort(): void {
    this.#ended = true;
    this.#sending.abort();
    this.#decoder?.destroy();
  }

  pause(): void {
    this.#paused = true;
    this.#sending.pause();
    this.#decoder?.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#decoder?.resume();
    if (this.#decoder?.writableNeedDrain !== true) this.#sending.resume();
  }

  onHead(head: AnswerHead): void {
    const decoder = decoderFor(head);
    if (decoder !== undefined) this.#decodeBy(decoder);
    this.#handler.onHead(decoder === undefined ? head : rewrittenHead(head));
  }

  onData(chunk: Buffer): void {
    if (this.#decoder === undefined) this.#handler.onData(chunk);
    else if (!this.#decoder.write(chunk)) this.#sending.pause();
  }

  onEnd(): void {
    if (this.#decoder === undefined) this.#handler.onEnd();
    else this.#decoder.end();
  }

  onFailure(failure: Failure): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#decoder?.destroy();
    this.#handler.onFailure(failure);
  }

  #decodeBy(decoder: Transform): void {
    this.#decoder = decoder;
    decoder.on('data', (bytes: Buffer) => {
      if (!this.#ended) this.#handler.onData(bytes);
    });
    decoder.on('drain', () => {
      if (!this.#paused) this.#sending.resume();
    });
    decoder.on('end', () => {
      if (this.#ended) return;
      this.#ended = true;
      this.#handler.onEnd();
    });
    decoder.on('error', () => {
      if (this.#ended) return;
      this.#sending.abort();
      this.onFailure({ kind: 'undecodable', detail: 'CODING' });
    });
  }
}

/**
 * Hands streams of events over as if the upstream had not encoded them, which nobody has asked it to do: of an encoded
 * one nobody can read the errors, nor change anything in it. A coding that is not known is left as it is.
 */
export class DecodedStreams implements Transport {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  get replays(): number {
    return this.#transport.replays;
  }

  send(request: UpstreamRequest, handler: AnswerHandler): Sending {
    return new DecodedSending(this.#transport, request, handler);
  }

  close(): void {
    this.#transport.close();
  }
}
