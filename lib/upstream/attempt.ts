import { FirstEvent } from '../answer/first-event.ts';
import { isEncoded, isEventStream } from '../answer/make-reader.ts';
import { ChunkList } from '../chunk-list.ts';
import type { AttemptRules, Instance, Plan } from '../plan.ts';
import { errorOfEvent, statusOfErrorEvent } from '../protocols/error-events.ts';
import { type JsonObject, parseObject } from '../protocols/json.ts';
import { LONGEST_DELAY_MS } from '../within.ts';
import type { AnswerHead, Failure, Outcome } from './outcome.ts';
import type { AnswerHandler, Sending, UpstreamRequest } from './transport.ts';

/** Takes an answer's body once it is known whose it is. */
export interface AnswerSink {
  onData(chunk: Buffer): void;
  onEnd(): void;
  onFailure(failure: Failure): void;
}

/** A stream that has not finished its first event by then is not held any longer. */
const MAX_HELD_BYTES = 64 * 1024;

/** An answer that has to be held whole has a limit even where none is configured. */
const MAX_WHOLE_BYTES = 64 * 1024 * 1024;

type Ending = { readonly kind: 'complete' } | { readonly kind: 'failed'; readonly failure: Failure };

/**
 * One try on one instance. Nothing of the answer is let through until its outcome is known: with a plain answer
 * that takes the first byte of its body, with a stream its first event, which may be an error under a 200.
 */
export class Attempt implements AnswerHandler {
  readonly instance: Instance;
  /** What must be hidden from logs and from the client. */
  readonly secrets: readonly string[];
  /** Resolves once, never rejects. */
  readonly outcome: Promise<Outcome>;
  readonly startedAt = performance.now();
  /**
   * Milliseconds to the body's first byte; of a stream that is held, to its first event, since comments are no tokens,
   * or until it was held no longer.
   */
  firstTokenMs: number | undefined;
  bytes = 0;
  /** Whether the answer is a stream of events. */
  streams = false;
  /** Whether the whole request has left for the instance; known once the attempt has ended. */
  wasSent = false;
  /** The status the answer counts as, as soon as that is known. */
  status: number | undefined;
  /** What the first event of a stream says of an error; `undefined` where it tells of none. */
  error: JsonObject | undefined;

  readonly #rules: AttemptRules;
  #maxBytes: number;
  readonly #asksForHead: boolean;
  /** Says whether an answer with a status is left for the next instance, whatever its body. */
  readonly #plan: Pick<Plan, 'isFailure' | 'whole'>;
  #settle: (outcome: Outcome) => void = () => {};
  #settled = false;
  #sending: Sending | undefined;
  #head: AnswerHead | undefined;
  /** Set while an answer is held for its first event. */
  #firstEvent: FirstEvent | undefined;
  #headAt = 0;
  #held: Buffer[] = [];
  #sink: AnswerSink | undefined;
  #ending: Ending | undefined;
  /** Set while an answer is held until it is complete. */
  #whole: ChunkList | undefined;
  /** Of the whole attempt, or of a stream that has begun. */
  #durationTimer: NodeJS.Timeout | undefined;

  constructor(
    instance: Instance,
    request: UpstreamRequest,
    secrets: readonly string[],
    rules: AttemptRules,
    plan: Pick<Plan, 'isFailure' | 'whole'>,
  ) {
    this.instance = instance;
    this.secrets = secrets;
    this.#rules = rules;
    this.#maxBytes = rules.maxResponseBytes;
    this.#asksForHead = request.method === 'HEAD';
    this.#plan = plan;
    this.outcome = new Promise((resolve) => {
      this.#settle = resolve;
    });
    instance.stats.countAttempt(this.startedAt);
    instance.stats.inFlight++;
    if (rules.totalMs !== Number.POSITIVE_INFINITY) {
      this.#limitDuration(rules.totalMs, { kind: 'timed-out', detail: 'timeout' });
    }
    this.#sending = instance.transport.send(request, this);
  }

  get silenceMs(): number {
    return this.#rules.silenceMs;
  }

  /** `undefined` until it has come. */
  get head(): AnswerHead | undefined {
    return this.#head;
  }

  get durationMs(): number {
    return performance.now() - this.startedAt;
  }

  /** Ends the attempt and its connection. The outcome, if still open, is `aborted`. */
  abort(): void {
    if (this.#ending !== undefined) return;
    this.#sending?.abort();
    this.#sink = undefined;
    this.onFailure({ kind: 'aborted', detail: 'ABORTED' });
  }

  pause(): void {
    this.#sending?.pause();
  }

  resume(): void {
    this.#sending?.resume();
  }

  /** Hands the answer over: what has been held first, the rest as it comes. */
  pipeTo(sink: AnswerSink): void {
    const held = this.#held;
    this.#held = [];
    this.#sink = sink;
    for (const chunk of held) sink.onData(chunk);
    // The sink may have ended the attempt over what it was handed.
    if (this.#sink === sink && this.#ending !== undefined) this.#finishSink(sink, this.#ending);
  }

  /** The body, if all of it has come already; `undefined` while more is to come, or where it broke off. */
  takeWhole(): Buffer | undefined {
    if (this.#ending?.kind !== 'complete') return undefined;
    const [first] = this.#held;
    return this.#held.length === 1 && first !== undefined ? first : Buffer.concat(this.#held);
  }

  onHead(head: AnswerHead): void {
    this.#head = head;
    const streams = isEventStream(head.headers);
    this.streams = streams;
    const isFailure = this.#plan.isFailure(head.status);
    if (!isFailure && !streams && this.#plan.whole?.takes(head) === true) this.#holdWhole();
    // A failure is left for the next instance, whatever its length.
    if (!isFailure && this.#announcedBytes(head) > this.#maxBytes) {
      this.#cut({ kind: 'too-large', detail: 'max_response_bytes' });
      return;
    }
    const { maxStreamDurationMs } = this.#rules;
    if (streams && maxStreamDurationMs !== Number.POSITIVE_INFINITY) {
      this.#limitDuration(maxStreamDurationMs, { kind: 'too-long', detail: 'max_stream_duration_ms' });
    }
    if (isFailure) this.#answered(head.status);
    else if (streams && head.status === 200 && !isEncoded(head.headers)) this.#holdForEvent();
  }

  #holdForEvent(): void {
    this.#firstEvent = new FirstEvent();
    this.#headAt = performance.now();
  }

  #holdWhole(): void {
    this.#whole = new ChunkList();
    this.#maxBytes = Math.min(this.#maxBytes, MAX_WHOLE_BYTES);
  }

  onData(chunk: Buffer): void {
    if (this.#firstEvent === undefined) this.#noteFirstToken();
    this.bytes += chunk.length;
    if (this.bytes > this.#maxBytes) {
      this.#cut({ kind: 'too-large', detail: 'max_response_bytes' });
    } else if (this.#sink !== undefined) {
      this.#sink.onData(chunk);
    } else if (this.#whole !== undefined) {
      this.#whole.push(chunk);
    } else {
      this.#held.push(chunk);
      if (!this.#settled) this.#look(chunk);
    }
  }

  onEnd(): void {
    // A stream's only event may lack its blank line: its end completes it.
    if (this.bytes > 0) this.#noteFirstToken();
    if (this.#whole !== undefined && !this.#readWhole(this.#whole.take())) {
      this.onFailure({ kind: 'undecodable', detail: 'JSON' });
      return;
    }
    const data = this.#settled ? undefined : this.#firstEvent?.end();
    const isEmpty = !this.#settled && this.#firstEvent !== undefined && data === undefined;
    // Whoever reads answers cannot read one that says nothing.
    if (isEmpty && this.#plan.whole !== undefined) {
      this.onFailure({ kind: 'undecodable', detail: 'EVENTS' });
      return;
    }
    this.#end({ kind: 'complete' });
    if (!this.#settled && this.#head !== undefined) {
      this.#answered(data === undefined ? this.#head.status : this.#statusOf(data));
    }
  }

  /** Reads an answer that was held whole; returns whether it can be read. */
  #readWhole(bytes: Buffer): boolean {
    if (this.#head === undefined) return false;
    const whole = this.#plan.whole?.read({ head: this.#head, bytes });
    if (whole === undefined) return false;
    this.#head = whole.head;
    this.#held = [whole.bytes];
    this.bytes = whole.bytes.length;
    return true;
  }

  onFailure(failure: Failure): void {
    if (this.#ending !== undefined) return;
    if (failure.kind !== 'aborted') this.instance.stats.countFailure(failure.kind);
    this.#end({ kind: 'failed', failure });
    this.#decide(failure);
  }

  /** A HEAD and a 304 speak of the length of a body that does not come (RFC 9110 §8.6). */
  #announcedBytes({ status, headers }: AnswerHead): number {
    if (this.#asksForHead || status === 304) return 0;
    return Number(headers['content-length'] ?? 0);
  }

  /** Settles the outcome if what has come is enough to know it. */
  #look(chunk: Buffer): void {
    const data = this.#firstEvent?.push(chunk);
    if (data !== undefined) {
      this.#noteFirstToken();
      this.#answered(this.#statusOf(data));
    } else if (this.#firstEvent === undefined || this.bytes >= MAX_HELD_BYTES || this.#isHeldTooLong()) {
      this.#letThrough();
    }
  }

  /**
   * Comments keep a stream from being silent, and may go on for ever: once that has taken as long as a silence may,
   * they are for the client. To be queued is no failure; a stream that says nothing more is still one, as a silence.
   */
  #isHeldTooLong(): boolean {
    return performance.now() - this.#headAt >= this.#rules.silenceMs;
  }

  /** Takes an answer for what its head says, without its first event. */
  #letThrough(): void {
    this.#noteFirstToken();
    this.#answered(this.#head?.status ?? 0);
  }

  /** The status that an event stands for: an error's, which is kept, or else the head's. */
  #statusOf(data: string): number {
    const json = parseObject(data);
    this.error = json && errorOfEvent(json);
    return (json === undefined ? undefined : statusOfErrorEvent(json)) ?? this.#head?.status ?? 0;
  }

  #noteFirstToken(): void {
    if (this.firstTokenMs !== undefined) return;
    const now = performance.now();
    this.firstTokenMs = now - this.startedAt;
    this.instance.stats.timeToFirstToken.record(this.firstTokenMs, now);
  }

  #answered(status: number): void {
    const head = this.#head;
    this.status = status;
    this.instance.stats.countAnswer(status);
    if (this.streams && status < 300 && this.firstTokenMs !== undefined) {
      this.instance.stats.noteSpeed(this.firstTokenMs);
    }
    if (head !== undefined) this.#decide({ kind: 'answered', head, status });
  }

  #decide(outcome: Outcome): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#settle(outcome);
  }

  #limitDuration(durationMs: number, failure: Failure): void {
    clearTimeout(this.#durationTimer);
    this.#durationTimer = setTimeout(() => this.#cut(failure), Math.min(durationMs, LONGEST_DELAY_MS));
    this.#durationTimer.unref();
  }

  #cut(failure: Failure): void {
    if (this.#ending !== undefined) return;
    this.#sending?.abort();
    this.onFailure(failure);
  }

  #end(ending: Ending): void {
    if (this.#ending !== undefined) return;
    this.#ending = ending;
    const { stats } = this.instance;
    stats.inFlight--;
    if (ending.kind === 'complete') {
      const now = performance.now();
      stats.countLatency(now - this.startedAt, now);
      if (!this.streams && (this.#head?.status ?? 0) < 300) stats.noteSpeed(now - this.startedAt);
    }
    clearTimeout(this.#durationTimer);
    this.wasSent = this.#sending?.wasSent ?? false;
    this.#sending = undefined;
    if (this.#sink !== undefined) this.#finishSink(this.#sink, ending);
  }

  #finishSink(sink: AnswerSink, ending: Ending): void {
    this.#sink = undefined;
    if (ending.kind === 'complete') sink.onEnd();
    else sink.onFailure(ending.failure);
  }
}
