import { type Exchange, endExchange } from '../exchange.ts';
import { parseObject } from '../protocols/json.ts';
import type { AnswerSink, Attempt } from '../upstream/attempt.ts';
import type { Failure } from '../upstream/outcome.ts';
import { answerError } from './answer-error.ts';
import { failureError } from './failure-errors.ts';
import { GatewayError } from './gateway-error.ts';
import { Tally } from './tally.ts';

/** A body for the next middleware has to be held whole, so it has a limit even where none is configured. */
const MAX_BYTES = 64 * 1024 * 1024;

/** Hands a JSON answer to the next middleware as `req.body`, as the early form's `passthrough` asks. */
export class HandOver implements AnswerSink {
  readonly #exchange: Exchange;
  readonly #attempt: Attempt;
  readonly #chunks: Buffer[] = [];

  constructor(exchange: Exchange, attempt: Attempt) {
    this.#exchange = exchange;
    this.#attempt = attempt;
    exchange.tally = new Tally(exchange.protocol, exchange.plan.logging.payloads);
  }

  start(): void {
    this.#exchange.document = undefined;
    this.#attempt.pipeTo(this);
  }

  onData(chunk: Buffer): void {
    this.#chunks.push(chunk);
    if (this.#attempt.bytes <= MAX_BYTES) return;
    this.#attempt.abort();
    this.onFailure({ kind: 'too-large', detail: 'passthrough' });
  }

  onEnd(): void {
    const { req, tally, next } = this.#exchange;
    if (this.#exchange.ending !== undefined) return;
    const json = parseObject(Buffer.concat(this.#chunks).toString());
    if (json === undefined) {
      answerError(
        this.#exchange,
        new GatewayError(
          502,
          'upstream_invalid_answer',
          'The LLM service did not answer with a JSON object.',
        ),
      );
      return;
    }
    tally?.read(json);
    endExchange(this.#exchange, 'complete');
    Object.assign(req, { body: json });
    next?.();
  }

  onFailure(failure: Failure): void {
    if (failure.kind !== 'aborted') answerError(this.#exchange, failureError(failure));
  }
}
