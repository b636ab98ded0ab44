import type { ServerResponse } from 'node:http';
import type { Admission } from './admission.ts';
import type { GatewayError } from './answer/gateway-error.ts';
import type { Tally } from './answer/tally.ts';
import type { UsageEstimate } from './answer/usage-estimate.ts';
import type { AttemptRecord } from './host.ts';
import type { Asked, Instance, Plan } from './plan.ts';
import type { Protocol, ProtocolName } from './protocols/protocol.ts';
import type { Consumption, Quota } from './quota.ts';
import type { JsonDocument } from './request/json-document.ts';
import type { Attempt } from './upstream/attempt.ts';
import type { Try } from './upstream/try.ts';

export type Next = (error?: unknown) => void;

/** How a request ended, as `llm_outcome` says it. */
export type Ending = 'complete' | 'cut' | 'client_gone' | 'timeout' | 'rejected';

export type Locals = Record<string, unknown>;

/** A plan together with how clients are received and answered by it: what a front end makes. */
export interface ServingPlan extends Plan {
  /**
   * Called once, before the body is read.
   *
   * @throws GatewayError what the request is refused with
   */
  admit?(exchange: Exchange): void;
  /**
   * The plan that serves this request, where that is another one. Called once, when the body has been read.
   *
   * @throws GatewayError what the request is refused with
   */
  select?(exchange: Exchange): ServingPlan;
  /** Why nothing could be tried at all. */
  refuse(exchange: Exchange): GatewayError;
  /** Answers the client with what came of the last try. */
  present(exchange: Exchange, tried: Try): void | Promise<void>;
}

/** One request on its way through: the only record that changes. */
export interface Exchange extends Asked {
  quota: Quota | undefined;
  /** The middleware's, and the one that it selects once the body is known. */
  plan: ServingPlan;
  readonly res: ServerResponse;
  readonly next: Next | undefined;
  /** `res.locals`. */
  readonly locals: Locals;
  readonly startedAt: number;
  /** The protocol of a known endpoint's path. */
  readonly endpoint: ProtocolName | undefined;
  protocol: Protocol;
  /** The client's body; `undefined` where there is none, and once nothing will be sent from it any more. */
  document: JsonDocument | undefined;
  /** Whether the client itself asked for usage in its stream. */
  wantsUsage: boolean;
  /** Whether the body last sent asked for a stream. */
  streams: boolean;
  readonly attempts: AttemptRecord[];
  /** Instances that have been tried or passed over. */
  readonly out: Set<Instance>;
  /** How many instances have been tried. */
  tries: number;
  /** What is being tried and has not been noted yet. */
  trying: { readonly instance: Instance; readonly startedAt: number } | undefined;
  /** The instance tried last. */
  instance: Instance | undefined;
  /** The attempt under way, or the one that is being answered with; `undefined` while nothing has been sent. */
  current: Attempt | undefined;
  tally: Tally | undefined;
  /** What middlewares in front have found out. */
  readonly admission: Admission | undefined;
  /** Kept only where a quota has to be charged, whatever the LLM reports. */
  estimate: UsageEstimate | undefined;
  /** What has been used up in the end; `undefined` where nothing has, or nobody knows. */
  consumption: Consumption | undefined;
  /** The client has hung up. */
  gone: boolean;
  /** Ends the wait before an instance is tried again. */
  stopWaiting: (() => void) | undefined;
  ending: Ending | undefined;
  /** Ends the watch for the client's leaving. */
  stopWatching: (() => void) | undefined;
  /** What is called once, when the request has ended. */
  readonly onEnd: (exchange: Exchange, ending: Ending) => void;
}

/** Nothing is sent again from here on: what another try would have needed can go. */
export function releaseBody(exchange: Exchange): void {
  exchange.estimate?.notePrompt(exchange.document, exchange.protocol);
  exchange.document = undefined;
}

/** Ends the exchange; only the first ending counts. */
export function endExchange(exchange: Exchange, ending: Ending): void {
  if (exchange.ending !== undefined) return;
  exchange.ending = ending;
  exchange.stopWatching?.();
  exchange.onEnd(exchange, ending);
  exchange.document = undefined;
}
