import type { IncomingMessage } from 'node:http';
import type { Limiter } from './quota.ts';

/** What middlewares in front of the gateway have found out about a request. */
export interface Admission {
  /** The limiters the request has come through. */
  readonly limiters: Limiter[];
  /** The caller's own limiter, which replaces all others. */
  consumerLimiter: Limiter | undefined;
  /** Names of headers that hold the caller's credentials, in lower case. They never reach an LLM. */
  readonly credentialHeaders: string[];
  /** The same for query parameters. */
  readonly credentialQueries: string[];
}

/** A named field: with a symbol, or in a `WeakMap`, it costs Node a few microseconds more. */
type MaybeAdmitted = IncomingMessage & { llmAdmission?: Admission };

/** What is known of a request; `undefined` where nothing in front had anything to say. */
export function findAdmission(req: MaybeAdmitted): Admission | undefined {
  return req.llmAdmission;
}

/** What is known of a request, to add to it. */
export function admissionOf(req: MaybeAdmitted): Admission {
  const known = req.llmAdmission;
  if (known !== undefined) return known;
  const admission: Admission = {
    limiters: [],
    consumerLimiter: undefined,
    credentialHeaders: [],
    credentialQueries: [],
  };
  req.llmAdmission = admission;
  return admission;
}

/** Adds a limiter that a request comes through; mounted twice, it still counts once. */
export function addLimiter(req: IncomingMessage, limiter: Limiter): void {
  const { limiters } = admissionOf(req);
  if (!limiters.includes(limiter)) limiters.push(limiter);
}
