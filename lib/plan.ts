import type { IncomingMessage } from 'node:http';
import type { TargetMetrics } from './balancer/balancer.ts';
import type { InstanceHealthSource } from './health/instance-health-source.ts';
import type { Protocol, ProtocolName } from './protocols/protocol.ts';
import type { Quota } from './quota.ts';
import type { InstanceStats } from './stats/instance-stats.ts';
import type { ResolveCredentials } from './upstream/credentials.ts';
import type { Outcome } from './upstream/outcome.ts';
import type { BodyRules } from './upstream/rewrite-body.ts';
import type { Transport } from './upstream/transport.ts';

/** How one instance takes requests of one protocol. */
export interface Route {
  readonly protocol: Protocol;
  /** `undefined` keeps the client's path, as `passthrough` does. */
  readonly path: string | undefined;
  readonly rules: BodyRules;
}

/** One LLM that requests can be sent to, compiled. */
export interface Instance {
  readonly name: string;
  readonly provider: string;
  readonly priority: number;
  readonly weight: number;
  /** The model it is configured for; `undefined` leaves the client's. */
  readonly model: string | undefined;
  /** For the `host` header. */
  readonly host: string;
  /** The endpoint's own query, without `?`; '' for none. */
  readonly query: string;
  readonly routes: ReadonlyMap<ProtocolName, Route>;
  readonly credentials: ResolveCredentials;
  readonly transport: Transport;
  readonly stats: InstanceStats;
  /** What balancers go by. */
  readonly metrics: TargetMetrics;
  /** `undefined` where no health checks are configured: then it is never unhealthy. */
  readonly health: InstanceHealthSource | undefined;
}

/** What a plan may look at to choose an instance. */
export interface Asked {
  readonly req: IncomingMessage;
  /** `res.locals`. */
  readonly locals: Readonly<Record<string, unknown>>;
  readonly protocol: Protocol;
  /** `undefined` where nothing limits the request. */
  readonly quota: Quota | undefined;
  /** What a consistent hash goes by; read once, when it is needed. */
  hashKey: string | undefined;
}

/** Why an instance is passed over, as `llm_attempts` says it. */
export type Refusal = 'protocol_not_supported' | 'unhealthy' | 'rate_limited';

/** What is done after an outcome: answer the client with it, or try the next instance. */
export type Verdict = 'answer' | 'next';

export interface Limits {
  readonly timeoutMs: number;
  readonly maxRequestBytes: number;
  /** `Infinity` for no cap, here and below. */
  readonly maxResponseBytes: number;
  readonly maxStreamDurationMs: number;
}

/**
 * One configuration, checked and compiled. The attempt loop knows nothing else of it: which instances there are,
 * in which order they are tried, which are admitted now, and what to do after an outcome.
 */
export interface Plan {
  readonly instances: readonly Instance[];
  /** Their names. */
  readonly names: readonly string[];
  /** Those of the instances, in the order in which they are tried. */
  readonly priorities: readonly number[];
  readonly limits: Limits;
  readonly logging: { readonly summaries: boolean; readonly payloads: boolean };
  /** Header names that never reach an LLM, in lower case. */
  readonly withheldHeaders: ReadonlySet<string>;
  /** Whether the host wants a header that holds a caller's credentials to reach the LLM. */
  isForwarded(name: string): boolean;
  /** Header names that never reach a client: those that carry credentials to an LLM. In lower case. */
  readonly injectedHeaders: ReadonlySet<string>;
  /** Hands a JSON answer to the next middleware as `req.body` instead of answering the client. */
  readonly passthrough: boolean;
  /** The best instance that is not out; `undefined` when all are. */
  next(asked: Asked, isOut: (instance: Instance) => boolean): Instance | undefined;
  /** Whether there is an instance that is not out. Takes nobody's turn. */
  hasNext(isOut: (instance: Instance) => boolean): boolean;
  /** Why an instance must be passed over for this request; `undefined` admits it. */
  refusal(asked: Asked, instance: Instance): Refusal | undefined;
  /** Whether an answer with this status counts as failed. */
  isFailure(status: number): boolean;
  /**
   * @param tries how many instances have been tried, the one with this outcome included
   * @param durationMs how long the attempt took until its outcome was known
   */
  judge(tries: number, outcome: Outcome, durationMs: number): Verdict;
  /** Closes what belongs to this plan alone; requests under way finish. */
  close(): void;
}
