import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type KeyAuthMiddleware, type KeyAuthOptions, keyAuth } from 'ai-proxy-multi';
import { onTestFinished } from 'vitest';
import type { ConsumerConfig } from '../../lib/config/generated/consumer.ts';
import type { KeyAuthConfig } from '../../lib/config/generated/key-auth.ts';
import { frameworks, type Handler } from '../frameworks/frameworks.ts';
import { type LogLine, serve } from '../support/app.ts';
import { type RawAnswer, sendRaw } from '../support/gateway.ts';

type Listener = (req: IncomingMessage, res: ServerResponse) => unknown;

export interface Stack {
  readonly name: string;
  readonly listenerOf: (handlers: readonly Handler[]) => Listener;
}

/** Without a framework, whoever wants middlewares calls them. */
export const bareHttp: Stack = {
  name: 'a bare http server',
  listenerOf: (handlers) => (req, res) => {
    const run = (at: number): void => {
      handlers[at]?.(req, res, () => run(at + 1));
    };
    run(0);
  },
};

export const stacks: readonly Stack[] = [
  ...frameworks.map(
    ({ name, makeStack }): Stack => ({
      name,
      listenerOf(handlers) {
        const stack = makeStack();
        for (const handler of handlers) stack.use(handler);
        return stack.listener;
      },
    }),
  ),
  bareHttp,
];

/** Jane has a key of her own, John two credentials. */
export const consumers: readonly ConsumerConfig[] = [
  { username: 'janedoe', plugins: { 'key-auth': { key: 'jane-key' } } },
  {
    username: 'johndoe',
    credentials: [
      { plugins: { 'key-auth': { key: 'john-key' } } },
      { plugins: { 'key-auth': { key: 'john-other-key' } } },
    ],
  },
  { username: 'guest' },
];

/** What a handler behind the gate sees of a request. */
export interface Seen {
  readonly consumer: unknown;
  readonly url: string | undefined;
  readonly originalUrl: unknown;
  readonly query: unknown;
  readonly headers: unknown;
  readonly headersDistinct: unknown;
  readonly rawHeaders: readonly string[];
}

function see(req: IncomingMessage, res: ServerResponse): Seen {
  const locals: unknown = 'locals' in res ? res.locals : undefined;
  const consumer =
    typeof locals === 'object' && locals !== null && 'consumer' in locals ? locals.consumer : undefined;
  return {
    consumer,
    url: req.url,
    originalUrl: 'originalUrl' in req ? req.originalUrl : undefined,
    query: 'query' in req ? req.query : undefined,
    headers: { ...req.headers },
    headersDistinct: { ...req.headersDistinct },
    rawHeaders: [...req.rawHeaders],
  };
}

export interface Gate {
  readonly middleware: KeyAuthMiddleware;
  readonly port: number;
  /** What each request looked like behind the gate. */
  readonly seen: readonly Seen[];
  readonly logs: readonly LogLine[];
  /** Sends one request by hand. */
  ask(requestLine: string, headers?: readonly string[]): Promise<RawAnswer>;
  /** Resolves when the gate has got its next request, whatever has become of it. */
  arrival(): Promise<unknown>;
}

/** A middleware whose log is kept, closed when the test ends. */
export function makeGate(
  config: KeyAuthConfig = {},
  options: Partial<KeyAuthOptions> = {},
): { readonly middleware: KeyAuthMiddleware; readonly logs: readonly LogLine[] } {
  const logs: LogLine[] = [];
  const log =
    (level: LogLine['level']) =>
    (data: object, message: string): void => {
      logs.push({ level, data: { ...data }, message });
    };
  const middleware = keyAuth(config, {
    consumers,
    logger: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
    ...options,
  });
  onTestFinished(() => middleware.close());
  return { middleware, logs };
}

/** A server with the gate in it, and behind it a handler that answers 200 to whoever comes through. */
export async function startGate(
  config: KeyAuthConfig = {},
  options: Partial<KeyAuthOptions> = {},
  stack: Stack = bareHttp,
): Promise<Gate> {
  const { middleware, logs } = makeGate(config, options);
  const seen: Seen[] = [];
  const answer: Handler = (req, res) => {
    seen.push(see(req, res));
    res.end('"welcome"');
  };
  const { port, server } = await serve(stack.listenerOf([middleware, answer]));
  return {
    middleware,
    port,
    seen,
    logs,
    ask: (line, headers) => sendRaw(port, line, headers),
    arrival: () => once(server, 'request'),
  };
}
