import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from '../host.ts';

/** Whether this looks like an LLM request that has been served. A limiter may well see others, and refusals. */
function wasServed(req: IncomingMessage, res: ServerResponse): boolean {
  return req.method === 'POST' && res.writableFinished && res.statusCode < 400;
}

/**
 * Warns, once, when requests are served and no gateway has asked the limiter about any: it is mounted where nothing
 * is limited, which nothing else would show.
 *
 * @returns to be called with each request
 */
export function warnOfIdleLimiter(
  hasBeenAsked: () => boolean,
  logger: Logger,
): (req: IncomingMessage, res: ServerResponse) => void {
  let done = false;
  return (req, res) => {
    done ||= hasBeenAsked();
    if (done) return;
    res.once('close', () => {
      if (done || !wasServed(req, res)) return;
      done = true;
      if (hasBeenAsked()) return;
      logger.warn(
        {},
        'ai-rate-limiting has seen requests served that no ai-proxy-multi behind it has asked about: nothing is limited',
      );
    });
  };
}
