import type { IncomingMessage, ServerResponse } from 'node:http';
import { findAdmission } from '../admission.ts';
import type { Logger } from '../host.ts';
import type { OwnedLimiter } from './limiter.ts';

/** Whether this looks like an LLM request that has been served. A limiter may well see others, and refusals. */
function wasServed(req: IncomingMessage, res: ServerResponse): boolean {
  return req.method === 'POST' && res.writableFinished && res.statusCode < 400;
}

/** Nobody asks the route's limiter about a caller who has one of his own. */
function hasOtherLimiter(req: IncomingMessage): boolean {
  return findAdmission(req)?.consumerLimiter !== undefined;
}

/**
 * Warns, once, when requests are served and no gateway has asked the limiter about any: it is mounted where nothing
 * is limited, which nothing else would show.
 *
 * @returns to be called with each request and the limiter it has come through, which an update may replace
 */
export function warnOfIdleLimiter(
  logger: Logger,
): (req: IncomingMessage, res: ServerResponse, limiter: Pick<OwnedLimiter, 'hasBeenAsked'>) => void {
  let done = false;
  return (req, res, limiter) => {
    done ||= limiter.hasBeenAsked;
    if (done) return;
    res.once('close', () => {
      if (done || !wasServed(req, res) || hasOtherLimiter(req)) return;
      done = true;
      if (limiter.hasBeenAsked) return;
      logger.warn(
        {},
        'ai-rate-limiting has seen requests served that no ai-proxy-multi behind it has asked about: nothing is limited',
      );
    });
  };
}
