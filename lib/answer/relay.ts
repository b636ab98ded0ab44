import type { OutgoingHttpHeaders } from 'node:http';
import { contentCoding } from '../content-coding.ts';
import { type Exchange, endExchange, releaseBody } from '../exchange.ts';
import type { AnswerSink, Attempt } from '../upstream/attempt.ts';
import type { AnswerHead, Failure } from '../upstream/outcome.ts';
import { answerError } from './answer-error.ts';
import { breakOff, breakOffSoon } from './break-off.ts';
import { clientHeaders } from './client-headers.ts';
import type { EventReaderOptions } from './event-reader.ts';
import { cutError } from './failure-errors.ts';
import { GatewayError } from './gateway-error.ts';
import { liftTimeouts } from './lift-timeouts.ts';
import { isEncoded, isEventStream, makeReader } from './make-reader.ts';
import type { Reader } from './reader.ts';
import { StallGuard } from './stall-guard.ts';
import { Tally } from './tally.ts';

/** Answers up to this size go out in one write together with the head. */
const ONE_WRITE_BYTES = 16 * 1024;

/**
 * Larger answers go out in slices of this size, each once the one before has been taken: of a single write, nobody
 * could tell how much of it a client has read.
 */
const SLICE_BYTES = 64 * 1024;

/** Compression middleware that compresses a stream all the same delivers late, and cannot be asked when. */
const COMPRESSION_GRACE_MS = 1000;

export interface RelayOptions extends EventReaderOptions {
  /** The gateway's own, which win over the upstream's. */
  readonly extraHeaders: Readonly<Record<string, string>>;
  /** The gateway's own with an error, where nothing of the answer has been passed on. */
  readonly errorHeaders: Readonly<Record<string, string>>;
  /** What such an error is. */
  readonly errorFor: (failure: Failure) => GatewayError;
}

function reportedError(): GatewayError {
  return new GatewayError(
    502,
    'upstream_stream_cut',
    'The answer is incomplete. The LLM service reported an error.',
  );
}

/** Writes an answer to the client as it arrives. */
export class Relay implements AnswerSink {
  readonly #exchange: Exchange;
  readonly #attempt: Attempt;
  readonly #head: AnswerHead;
  readonly #headers: OutgoingHttpHeaders;
  readonly #options: RelayOptions;
  readonly #reader: Reader;
  readonly #isStream: boolean;
  readonly #guard: StallGuard;
  #flush: (() => void) | undefined;
  #listensForDrain = false;
  /** Of a complete answer, what has not been written yet: more than one slice. */
  #unwritten: Buffer | undefined;
  /** Whether the response's head is this answer's. */
  #hasBegun = false;

  constructor(exchange: Exchange, attempt: Attempt, head: AnswerHead, options: RelayOptions) {
    const { plan, protocol, res } = exchange;
    const { extraHeaders } = options;
    this.#exchange = exchange;
    this.#attempt = attempt;
    this.#head = head;
    this.#options = options;
    this.#isStream = isEventStream(head.headers);
    this.#headers = clientHeaders(head.headers, plan, attempt.secrets, this.#isStream);
    for (const name in extraHeaders) {
      // Names that differ in case alone would both be sent.
      const upstreamName = name.toLowerCase();
      if (upstreamName in this.#headers) delete this.#headers[upstreamName];
      this.#headers[name] = extraHeaders[name];
    }
    const tally = new Tally(protocol, plan.logging.payloads);
    exchange.tally = tally;
    exchange.estimate?.noteCoding(contentCoding(head.headers));
    const withholdsUsage = protocol.usageOnRequest && exchange.streams && !exchange.wantsUsage;
    this.#reader = makeReader(head.headers, tally, withholdsUsage, options);
    // A stream may lose an event, or end with one of the gateway's own, which a length would cut off.
    if (this.#isStream && !isEncoded(head.headers)) delete this.#headers['content-length'];
    this.#guard = new StallGuard(res, plan.limits.timeoutMs, () => this.#onStall());
  }

  start(): void {
    releaseBody(this.#exchange);
    const whole = this.#attempt.takeWhole();
    if (whole !== undefined) {
      this.#answerWhole(whole);
      return;
    }
    if (this.#isStream) liftTimeouts(this.#exchange.req);
    this.#attempt.pipeTo(this);
  }

  /** The answer was complete before its first byte went out: head and body are one write. */
  #answerWhole(bytes: Buffer): void {
    this.#exchange.estimate?.sample(bytes);
    const first = this.#reader.push(bytes);
    const last = this.#reader.end();
    if (this.#reader.brokenOff) {
      if (first !== undefined) this.#write(first);
      if (last !== undefined) this.#write(last);
      this.#breakAtError();
      return;
    }
    const passed = first === undefined || last === undefined ? (first ?? last) : Buffer.concat([first, last]);
    if (passed !== undefined && passed.length > 0) this.#headers['content-length'] = String(passed.length);
    this.#end(passed);
  }

  #writeHead(): void {
    const { res } = this.#exchange;
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    res.writeHead(this.#head.status, this.#headers);
    // Compression middleware adds it, and holds bytes back until it is called.
    if (this.#isStream && 'flush' in res && typeof res.flush === 'function')
      this.#flush = res.flush.bind(res);
  }

  /**
   * Whether the response is not this answer's to write: the host's time-out middleware may have answered. Behind an
   * earlier response of a pipelining client, such an answer waits, and nothing has closed yet.
   */
  #isTaken(): boolean {
    const { res } = this.#exchange;
    return res.writableEnded || res.destroyed || (res.headersSent && !this.#hasBegun);
  }

  /** Leaves the response to whoever has it. */
  #giveUp(): void {
    endExchange(this.#exchange, 'cut');
    this.#guard.disarm();
    this.#attempt.abort();
  }

  onData(chunk: Buffer): void {
    this.#exchange.estimate?.sample(chunk);
    const passed = this.#reader.push(chunk);
    if (passed !== undefined) this.#write(passed);
    if (this.#reader.brokenOff) this.#breakAtError();
  }

  /** The stream has told of an error, behind which nothing else can be meant for the client. */
  #breakAtError(): void {
    if (this.#exchange.ending !== undefined) return;
    this.#attempt.abort();
    if (this.#hasBegun) this.#cut(reportedError());
    else answerError(this.#exchange, reportedError(), this.#options.errorHeaders);
  }

  /** Returns whether more may be written at once. */
  #write(bytes: Buffer): boolean {
    if (this.#isTaken()) {
      this.#giveUp();
      return false;
    }
    this.#writeHead();
    const writable = this.#exchange.res.write(bytes);
    this.#flush?.();
    if (!writable) this.#pause();
    return writable;
  }

  #pause(): void {
    this.#attempt.pause();
    this.#guard.arm();
    if (this.#listensForDrain) return;
    this.#listensForDrain = true;
    this.#exchange.res.on('drain', () => {
      this.#guard.disarm();
      if (this.#unwritten === undefined) this.#attempt.resume();
      else this.#writeSlices(this.#unwritten);
    });
  }

  onEnd(): void {
    const last = this.#reader.end();
    if (!this.#reader.brokenOff) {
      this.#end(last);
      return;
    }
    if (last !== undefined) this.#write(last);
    this.#breakAtError();
  }

  #end(last: Buffer | undefined): void {
    const settled = this.#reader.settled();
    if (settled === undefined) this.#complete(last);
    else settled.then(() => this.#complete(last));
  }

  #complete(last: Buffer | undefined): void {
    const { res } = this.#exchange;
    if (this.#exchange.ending !== undefined) return;
    if (last !== undefined && last.length > SLICE_BYTES) {
      this.#writeSlices(last);
      return;
    }
    if (this.#isTaken()) {
      this.#giveUp();
      return;
    }
    // The access log reads the variables when the response finishes.
    endExchange(this.#exchange, 'complete');
    this.#writeHead();
    // Node would give an empty stream a length.
    if (this.#isStream && last === undefined) res.flushHeaders();
    if (last === undefined) res.end();
    else if (last.length <= ONE_WRITE_BYTES) res.end(last.toString('latin1'), 'latin1');
    else res.end(last);
    if (res.writableLength > 0) {
      this.#guard.arm();
      // Before the server's own listener, which hands the socket on with a time-out of its choice.
      res.prependListener('finish', this.#guard.disarm);
    }
  }

  /** Writes as much of a complete answer as is taken now, and its end once nothing else is left. */
  #writeSlices(bytes: Buffer): void {
    let at = 0;
    let writable = true;
    while (writable && bytes.length - at > SLICE_BYTES) {
      writable = this.#write(bytes.subarray(at, at + SLICE_BYTES));
      at += SLICE_BYTES;
    }
    const rest = bytes.subarray(at);
    this.#unwritten = writable ? undefined : rest;
    if (writable) this.#complete(rest);
  }

  onFailure(failure: Failure): void {
    if (this.#exchange.ending !== undefined || failure.kind === 'aborted') return;
    if (this.#isTaken()) this.#giveUp();
    else if (this.#hasBegun) this.#cut(cutError(failure));
    else answerError(this.#exchange, this.#options.errorFor(failure), this.#options.errorHeaders);
  }

  /**
   * Ends an answer that has begun so that nobody takes it for a whole one: an error event where the client reads
   * events, and then the connection without the chunk that would complete the body.
   */
  #cut(error: GatewayError): void {
    const { res, protocol } = this.#exchange;
    this.#reader.end();
    endExchange(this.#exchange, 'cut');
    const { socket } = res;
    if (!this.#isStream || isEncoded(this.#head.headers) || socket === null) {
      breakOff(res);
      return;
    }
    const boundary = this.#reader.atBoundary ? '' : '\n\n';
    res.write(`${boundary}${protocol.errorEvent(error)}`);
    this.#flush?.();
    this.#guard.arm();
    if (res.hasHeader('content-encoding')) setTimeout(breakOffSoon, COMPRESSION_GRACE_MS, res, socket);
    // What is written in one tick, later versions of Node keep in the response until the next.
    else process.nextTick(breakOffSoon, res, socket);
  }

  #onStall(): void {
    endExchange(this.#exchange, 'cut');
    this.#attempt.abort();
    breakOff(this.#exchange.res);
  }
}
