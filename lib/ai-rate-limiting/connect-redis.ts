import { RateLimiterRedis } from 'rate-limiter-flexible';
import type { Logger } from '../host.ts';
import { within } from '../within.ts';
import { canSend, type RedisClient } from './redis-client.ts';
import { isDemotion, isLoginFailure, redisFailure } from './redis-failure.ts';
import type { RedisTimes } from './redis-times.ts';

export interface OpenedClient {
  readonly client: RedisClient;
  /** What must not be seen of its errors, longest first. */
  readonly secrets: readonly string[];
}

export interface RedisConnectionOptions {
  /** Where it leads, for messages and logs. */
  readonly address: string;
  readonly times: RedisTimes;
  /** Whether a Redis that takes no writes is the wrong one. */
  readonly wantsMaster: boolean;
  /**
   * Makes a client that is not yet connected, one for each attempt.
   *
   * @param wasRefused whether the password of the attempt before was refused
   */
  open(wasRefused: boolean): Promise<OpenedClient>;
  readonly logger: Logger;
}

type State =
  | { readonly kind: 'connecting'; readonly ended: Promise<void> }
  | {
      readonly kind: 'up';
      readonly opened: OpenedClient;
      readonly limiter: RateLimiterRedis;
      readonly since: number;
    }
  | { readonly kind: 'down'; readonly reason: string }
  | { readonly kind: 'closed' };

const SHORTEST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1000;

/** A connection that ends sooner than this after it was made is a failed attempt: something takes and drops them. */
const STEADY_MS = 1000;

/** Doubles with each failure. Half of it is chance, lest a thousand processes come back in the same instant. */
function pauseMs(failures: number): number {
  return Math.min(LONGEST_PAUSE_MS, SHORTEST_PAUSE_MS * 2 ** failures) * (0.5 + Math.random() / 2);
}

/** Resolves when commands can be sent; rejects with what the client has seen go wrong. */
function connected(client: RedisClient): Promise<void> {
  return new Promise((resolve, reject) => {
    // The first error says why; what `connect` rejects with says only that the connection is closed. The listener
    // stays: without one, the client would write later errors to stderr.
    client.on('error', reject);
    client.on('end', () => reject(new Error('the connection was closed')));
    client.connect().then(resolve, reject);
  });
}

/**
 * One connection to Redis that comes back by itself, for ever.
 *
 * While the first attempt to make it, or to make it again after a loss, is under way, those who need it wait; once
 * that has failed they are refused at once, until a later attempt succeeds.
 */
export class RedisConnection {
  readonly #options: RedisConnectionOptions;
  #state: State;
  /** The attempt's that is under way, or the one in use. */
  #client: RedisClient | undefined;
  #failures = 0;
  #wasRefused = false;
  #pause: NodeJS.Timeout | undefined;
  #underWay = 0;
  #onIdle: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: RedisConnectionOptions) {
    this.#options = options;
    this.#state = { kind: 'connecting', ended: this.#attempt() };
  }

  /**
   * Has something done with the counters, which all of it must be asked for before the first wait, to share a round
   * trip.
   *
   * @throws {Error} when there is no connection, when the time is up, and what Redis refuses; never with a secret
   */
  async run<Result>(action: (limiter: RateLimiterRedis) => Promise<Result>): Promise<Result> {
    if (this.#closing !== undefined)
      throw new Error(`The connection to Redis at ${this.#options.address} is closed`);
    this.#underWay += 1;
    try {
      return await this.#run(action);
    } finally {
      this.#underWay -= 1;
      if (this.#underWay === 0) this.#onIdle?.();
    }
  }

  /** Lets what is under way finish, then ends the connection for good. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#underWay > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    }
    this.#state = { kind: 'closed' };
    clearTimeout(this.#pause);
    this.#client?.disconnect();
  }

  async #run<Result>(action: (limiter: RateLimiterRedis) => Promise<Result>): Promise<Result> {
    const { address, times } = this.#options;
    let leftMs = times.answerMs;
    this.#noticeLoss();
    if (this.#state.kind === 'connecting') {
      const start = performance.now();
      leftMs = Math.max(times.connectMs, times.answerMs);
      await within(
        leftMs,
        this.#state.ended,
        `Redis at ${address} could not be connected to within ${leftMs} ms`,
      );
      leftMs -= performance.now() - start;
    }
    const { opened, limiter } = this.#up();
    try {
      return await within(leftMs, action(limiter), `no answer within ${times.answerMs} ms`);
    } catch (error) {
      const reason = redisFailure(error, opened.secrets);
      if (isDemotion(reason) && this.#options.wantsMaster) opened.client.disconnect();
      throw new Error(`Redis at ${address} failed: ${reason}`);
    }
  }

  #up(): State & { kind: 'up' } {
    if (this.#state.kind === 'up') return this.#state;
    const reason = this.#state.kind === 'down' ? this.#state.reason : 'the connection was lost';
    throw new Error(`Redis at ${this.#options.address} cannot be reached: ${reason}`);
  }

  async #attempt(): Promise<void> {
    const { times, open } = this.#options;
    let secrets: readonly string[] = [];
    try {
      const opening = open(this.#wasRefused);
      const opened = await within(times.attemptMs, opening, 'its password could not be looked up in time');
      if (this.#state.kind === 'closed') return;
      this.#client = opened.client;
      secrets = opened.secrets;
      await within(times.attemptMs, connected(opened.client), `no connection within ${times.attemptMs} ms`);
      this.#succeed(opened);
    } catch (error) {
      this.#client?.disconnect();
      this.#fail(redisFailure(error, secrets));
    }
  }

  #succeed(opened: OpenedClient): void {
    if (this.#state.kind === 'closed') return;
    const { address, logger } = this.#options;
    const wasDown = this.#state.kind === 'down';
    const { client } = opened;
    this.#wasRefused = false;
    const limiter = new RateLimiterRedis({ storeClient: client, points: 0, duration: 1, keyPrefix: '' });
    this.#state = { kind: 'up', opened, limiter, since: performance.now() };
    client.on('end', () => this.#lose(client));
    if (wasDown) logger.info({ redis: address }, 'Redis can be reached again');
  }

  /** The client tells of an end only when both sides have closed, and refuses everything from the first on. */
  #noticeLoss(): void {
    if (this.#state.kind !== 'up' || canSend(this.#state.opened.client)) return;
    const { client } = this.#state.opened;
    client.disconnect();
    this.#lose(client);
  }

  #lose(client: RedisClient): void {
    if (this.#state.kind !== 'up' || this.#state.opened.client !== client) return;
    if (performance.now() - this.#state.since < STEADY_MS) {
      this.#fail('the connection was lost');
    } else {
      this.#failures = 0;
      this.#state = { kind: 'connecting', ended: this.#attempt() };
    }
  }

  #fail(reason: string): void {
    if (this.#state.kind === 'closed') return;
    const { address, logger } = this.#options;
    const data = { redis: address, reason };
    if (this.#state.kind === 'down') logger.debug(data, 'Redis still cannot be reached');
    else logger.warn(data, 'Redis cannot be reached; trying again until it can');
    this.#state = { kind: 'down', reason };
    this.#wasRefused = isLoginFailure(reason);
    this.#pause = setTimeout(() => this.#attempt(), pauseMs(this.#failures));
    this.#pause.unref();
    this.#failures += 1;
  }
}
