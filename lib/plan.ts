import type { IncomingMessage } from 'node:http';
import type { TargetMetrics } from './balancer/balancer.ts';
import type { InstanceHealthSource } from './health/instance-health-source.ts';
import type { Protocol, ProtocolName } from './protocols/protocol.ts';
import type { Quota } from './quota.ts';
import type { InstanceStats } from './stats/instance-stats.ts';
import type { Cooldown } from './upstream/cooldown.ts';
import type { ResolveCredentials } from './upstream/credentials.ts';
import type { AnswerHead, Outcome } from './upstream/outcome.ts';
import type { BodyRules } from './upstream/rewrite-body.ts';
import type { Transport } from './upstream/transport.ts';

/** How one instance takes requests of one protocol. */
export interface Route {
  readonly protocol: Protocol;
  /** `undefined` keeps the client's path, as `passthrough` does. */
  readonly path: string | undefined;
  /** What `/v1` at the start of a client's path that is kept stands for. */
  readonly base: string;
  readonly rules: BodyRules;
  /** In place of the instance's own. */
  readonly credentials?: ResolveCredentials;
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
  /** Says which of the client's headers it may get, of those that the plan does not withhold. Absent: all. */
  readonly takesHeader?: (name: string) => boolean;
  /** Sent where the client's are not. Names in lower case. Absent: none. */
  readonly defaultHeaders?: Readonly<Record<string, string>>;
  /** Of the headers among the credentials, those that the client's own take the place of. Absent: none. */
  readonly yieldingHeaders?: ReadonlySet<string>;
  readonly transport: Transport;
  readonly stats: InstanceStats;
  /** What balancers go by. */
  readonly metrics: TargetMetrics;
  /** `undefined` where no health checks are configured: then it is never unhealthy. */
  readonly health: InstanceHealthSource | undefined;
  /** `undefined` where failures of requests bench nothing. */
  readonly cooldown: Cooldown | undefined;
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
export type Refusal =
  | 'protocol_not_supported'
  | 'unhealthy'
  | 'cooldown'
  | 'rate_limited'
  | 'ip_restricted'
  | 'tags_differ';

/** What is done after an outcome: answer the client with it, try the next instance, or the same one again. */
export type Verdict = 'answer' | 'next' | { readonly againAfterMs: number };

/** What a client may send, and how slowly. */
export interface Limits {
  /** For each silence of the client's, sending or reading. */
  readonly timeoutMs: number;
  readonly maxRequestBytes: number;
}

/** A whole plain answer as it goes on. */
export interface WholeAnswer {
  readonly head: AnswerHead;
  readonly bytes: Buffer;
}

/**
 * Holds plain answers that are no failure until they are complete, so that one that breaks off can still be left for
 * the next instance.
 */
export interface WholeReader {
  /** Whether an answer is to be held. */
  takes(head: AnswerHead): boolean;
  /** What goes on in its place; `undefined` for an answer that cannot be read. */
  read(answer: WholeAnswer): WholeAnswer | undefined;
}

/** What bounds one attempt. `Infinity` for no bound. */
export interface AttemptRules {
  /** Longest silence: of the connecting, of the sending, and before each part of the answer. */
  readonly silenceMs: number;
  /** Of the whole attempt, until the answer is complete. */
  readonly totalMs: number;
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
  /** The best instance that is not out; `undefined` when all are. */
  next(asked: Asked, isOut: (instance: Instance) => boolean): Instance | undefined;
  /** Why an instance must be passed over for this request; `undefined` admits it. */
  refusal(asked: Asked, instance: Instance): Refusal | undefined;
  /** @param streams whether the body sent asks for a stream */
  attemptRules(instance: Instance, streams: boolean): AttemptRules;
  /** `undefined` lets every answer go on as it comes. */
  readonly whole: WholeReader | undefined;
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
