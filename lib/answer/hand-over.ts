import { ChunkList } from '../chunk-list.ts';
import { contentCoding } from '../content-coding.ts';
import { type Exchange, endExchange, type Next, releaseBody } from '../exchange.ts';
import { isObject, parseJson } from '../protocols/json.ts';
import type { AnswerSink, Attempt } from '../upstream/attempt.ts';
import type { AnswerHead, Failure } from '../upstream/outcome.ts';
import { answerError } from './answer-error.ts';
import { DecodingReader } from './decoding-reader.ts';
import { failureError } from './failure-errors.ts';
import { GatewayError } from './gateway-error.ts';
import type { Reader } from './reader.ts';
import { Tally } from './tally.ts';
import { unread } from './unread.ts';

/** A body for the next middleware has to be held whole, so it has a limit even where none is configured. */
const MAX_BYTES = 64 * 1024 * 1024;

/** Hands a JSON answer to the next middleware as `req.body`, as the early form's `passthrough` asks. */
export class HandOver implements AnswerSink {
  readonly #exchange: Exchange;
  readonly #attempt: Attempt;
  readonly #next: Next;
  readonly #reader: Reader;
  readonly #chunks = new ChunkList();

  constructor(exchange: Exchange, attempt: Attempt, { headers }: AnswerHead, next: Next) {
    this.#exchange = exchange;
    this.#attempt = attempt;
    this.#next = next;
    const collector: Reader = {
      ...unread,
      push: (chunk) => {
        this.#chunks.push(chunk);
        return chunk;
      },
    };
    const coding = contentCoding(headers);
    exchange.estimate?.noteCoding(coding);
    this.#reader = (coding !== undefined && DecodingReader.for(coding, collector)) || collector;
    exchange.tally = new Tally(exchange.protocol, exchange.plan.logging.payloads);
  }

  start(): void {
    releaseBody(this.#exchange);
    this.#attempt.pipeTo(this);
  }

  onData(chunk: Buffer): void {
    this.#exchange.estimate?.sample(chunk);
    this.#reader.push(chunk);
    if (this.#attempt.bytes <= MAX_BYTES) return;
    this.#attempt.abort();
    this.onFailure({ kind: 'too-large', detail: 'passthrough' });
  }

  onEnd(): void {
    this.#reader.end();
    const settled = this.#reader.settled();
    if (settled === undefined) this.#complete();
    else settled.then(() => this.#complete());
  }

  #complete(): void {
    const { req, tally } = this.#exchange;
    if (this.#exchange.ending !== undefined) return;
    const json = parseJson(this.#chunks.take().toString());
    if (json === undefined) {
      const message = 'The LLM service did not answer with JSON.';
      answerError(this.#exchange, new GatewayError(502, 'upstream_invalid_answer', message));
      return;
    }
    if (isObject(json)) tally?.read(json);
    endExchange(this.#exchange, 'complete');
    // `_body` keeps a body parser further down from reading the request once more.
    Object.assign(req, { body: json, _body: true });
    this.#next();
  }

  onFailure(failure: Failure): void {
    if (failure.kind !== 'aborted') answerError(this.#exchange, failureError(failure));
  }
}
