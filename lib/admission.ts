import type { IncomingMessage } from 'node:http';
import type { Limiter } from './quota.ts';

/** What middlewares in front of the gateway have found out about a request. */
export interface Admission {
  /** The limiters the request has come through. */
  readonly limiters: Set<Limiter>;
  /** The caller's own limiter, which replaces all others. */
  consumerLimiter: Limiter | undefined;
  /** Names of headers that hold the caller's credentials, in lower case. They never reach an LLM. */
  readonly credentialHeaders: Set<string>;
  /** The same for query parameters. */
  readonly credentialQueries: Set<string>;
}

const admissions = new WeakMap<IncomingMessage, Admission>();

/** What is known of a request; `undefined` where nothing in front had anything to say. */
export function findAdmission(req: IncomingMessage): Admission | undefined {
  return admissions.get(req);
}

/** What is known of a request, to add to it. */
export function admissionOf(req: IncomingMessage): Admission {
  const known = admissions.get(req);
  if (known !== undefined) return known;
  const admission: Admission = {
    limiters: new Set(),
    consumerLimiter: undefined,
    credentialHeaders: new Set(),
    credentialQueries: new Set(),
  };
  admissions.set(req, admission);
  return admission;
}
