import type { IncomingMessage, ServerResponse } from 'node:http';
import { liftTimeouts } from '../answer/lift-timeouts.ts';
import type { Next } from '../exchange.ts';
import { pathOf } from '../request/variables.ts';
import { answer, COMMON_HEADERS, refuse } from './answer.ts';
import { EventStream } from './event-stream.ts';
import { page, pagePolicy } from './page.ts';
import { readArguments, type StatusPageOptions } from './read-arguments.ts';
import { type NamedSource, readGateways, type StatusDocument, type StatusSource } from './status-document.ts';

/** An Express/Connect middleware that also works as a bare `http` request listener. */
export interface StatusPage {
  /** Requests for anything else go to `next`; without one they are answered 404. */
  (req: IncomingMessage, res: ServerResponse, next?: Next): void;
  /** Ends the live updates, which would keep a server from closing, and lets nobody in for more. */
  close(): void;
}

const EVENT_HEADERS = {
  ...COMMON_HEADERS,
  'content-type': 'text/event-stream; charset=utf-8',
  // A compressing middleware or a proxy in front would hold events back until it has enough of them.
  'cache-control': 'no-store, no-transform',
  'x-accel-buffering': 'no',
} as const;

const TOO_MANY = 'Too many are watching, or the gateway is about to stop.';

type Serve = (req: IncomingMessage, res: ServerResponse) => void;

function servePage(req: IncomingMessage, res: ServerResponse): void {
  answer(req, res, 200, page, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': pagePolicy,
  });
}

function serveDocument(sources: readonly NamedSource[]): Serve {
  return (req, res) => {
    const document: StatusDocument = { at: new Date().toISOString(), gateways: readGateways(sources) };
    answer(req, res, 200, JSON.stringify(document), { 'content-type': 'application/json; charset=utf-8' });
  };
}

function serveEvents(events: EventStream): Serve {
  return (req, res) => {
    if (events.isFull) return refuse(req, res, 503, TOO_MANY, { 'retry-after': '10' });
    if (req.method === 'HEAD') {
      res.writeHead(200, EVENT_HEADERS).end();
      return;
    }
    events.add(res, EVENT_HEADERS);
    liftTimeouts(req);
  };
}

/** Whose `status()` fails may not bring down a server without a framework that would catch it. */
function serveSafely(serve: Serve, req: IncomingMessage, res: ServerResponse, next: Next | undefined): void {
  try {
    serve(req, res);
  } catch (error) {
    if (next === undefined) refuse(req, res, 500, 'The state cannot be read.');
    else next(error);
  }
}

/**
 * Makes a router that shows what gateways are doing, read-only: `GET /` is a page, `GET /status.json` the same as
 * JSON, `GET /events` a stream of it (SSE), a state a second at most, to at most 100 viewers. It asks nobody who they
 * are: mount your own authentication before it.
 *
 * @param middlewares what `aiProxyMulti`, `aiProxy` and `apisixRouter` return; options may follow
 * @throws ConfigError on an argument without `status()`, a misspelt option
 *
 * @example
 * ```ts
 * app.use('/status', requireOperator, statusPage(chat, embeddings, { names: ['chat', 'embeddings'] }));
 * ```
 */
export function statusPage(...middlewares: StatusSource[]): StatusPage;
export function statusPage(...middlewaresAndOptions: [...StatusSource[], StatusPageOptions]): StatusPage;
export function statusPage(...values: (StatusSource | StatusPageOptions)[]): StatusPage {
  const sources = readArguments(values);
  const events = new EventStream(() => JSON.stringify(readGateways(sources)));
  const routes = new Map<string, Serve>([
    ['/', servePage],
    ['/status.json', serveDocument(sources)],
    ['/events', serveEvents(events)],
  ]);

  function handle(req: IncomingMessage, res: ServerResponse, next?: Next): void {
    const serve = routes.get(pathOf(req.url ?? '/'));
    if (serve === undefined) {
      if (next === undefined) refuse(req, res, 404, 'There is nothing here.');
      else next();
    } else if (req.method !== 'GET' && req.method !== 'HEAD') {
      refuse(req, res, 405, 'This can only be read.', { allow: 'GET, HEAD' });
    } else {
      serveSafely(serve, req, res, next);
    }
  }

  return Object.assign(handle, { close: () => events.close() });
}
