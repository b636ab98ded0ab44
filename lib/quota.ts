import type { IncomingMessage } from 'node:http';
import type { GatewayError } from './answer/gateway-error.ts';
import type { JsonObject } from './protocols/json.ts';
import type { Usage } from './protocols/protocol.ts';

/** What one answer has used up. */
export interface Consumption {
  /** Whether the LLM said so, or it has been estimated from lengths. */
  readonly source: 'reported' | 'estimated';
  readonly usage: Usage;
  /** The usage object as the LLM wrote it. */
  readonly rawUsage: JsonObject;
}

/** What is left of one counter. */
export interface QuotaLeft {
  readonly limit: number;
  readonly remaining: number;
  /** Milliseconds since the epoch; `undefined` where no window has begun. */
  readonly resetsAtMs: number | undefined;
}

/** The names of the three response headers that tell one counter. */
export interface QuotaHeaders {
  readonly limit: string;
  readonly remaining: string;
  readonly reset: string;
}

/** What a client is told of one counter, as it was before its request. */
export interface QuotaTold {
  readonly headers: QuotaHeaders;
  readonly limit: number;
  readonly remaining: number;
  /** Until the window ends; the whole of it where none has begun. */
  readonly resetSeconds: number;
}

/** How much one request may use of which instances. The gateway asks; who counts, and where, is not its business. */
export interface Quota {
  /**
   * Reads the counters, once, before the first instance is picked: at once where they are in this process.
   *
   * @throws GatewayError 500 `quota_unavailable`, `invalid_quota`
   */
  look(instances: readonly string[]): void | Promise<void>;
  /** Whether nothing of it is left for this instance. */
  isSpent(instance: string): boolean;
  /** The answer to a request that may use none of these instances. */
  rejection(instances: readonly string[]): GatewayError;
  /** What the client is told of its quota on these instances; nothing where that is not wanted. */
  tell(instances: readonly string[]): readonly QuotaTold[];
  /** The same as response headers. */
  headers(instances: readonly string[]): Record<string, string>;
  /** What is left for this instance, what has been settled included; `undefined` where nothing limits it by itself. */
  left(instance: string): QuotaLeft | undefined;
  /**
   * Called once, when the request has ended, with what it has used up of which instance, if anything. Returns at
   * once and never throws: what has to be waited for is nothing the client waits for.
   */
  settle(instance: string | undefined, consumption: Consumption | undefined): void;
}

/** Limits requests. */
export interface Limiter {
  /** One request's view; `undefined` where nothing limits this request. */
  open(req: IncomingMessage, locals: Readonly<Record<string, unknown>>): Quota | undefined;
}
