import { once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type AiProxyMultiConfig,
  aiProxyMulti,
  type GatewayMiddleware,
  type Host,
  llmVariables,
} from 'ai-proxy-multi';
import express from 'express';
import { onTestFinished } from 'vitest';
import { KEPT_ALIVE_MS } from './upstream.ts';

export type InstanceConfig = AiProxyMultiConfig['instances'][number];

/** An instance at an upstream of the test. Its credentials are `Bearer key-{name}`. */
export function instance(name: string, endpoint: string, more: Partial<InstanceConfig> = {}): InstanceConfig {
  return {
    name,
    provider: 'openai-compatible',
    weight: 1,
    auth: { header: { Authorization: `Bearer key-${name}` } },
    options: { model: `model-${name}` },
    override: { endpoint },
    ...more,
  };
}

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly data: Readonly<Record<string, unknown>>;
  readonly message: string;
}

export interface App {
  readonly url: string;
  readonly port: number;
  readonly middleware: GatewayMiddleware<Parameters<typeof aiProxyMulti>[0]>;
  readonly logs: readonly LogLine[];
  /** The variables of each request that has ended, in the order of their ends. */
  readonly finished: readonly Record<string, unknown>[];
  /** Resolves when that many requests have ended. */
  ended(count: number): Promise<readonly Record<string, unknown>[]>;
  readonly server: http.Server;
}

export interface AppOptions {
  readonly host?: Host;
  /** Where the gateway is mounted. Default: '/'. */
  readonly mount?: string;
  /** Called with the Express app before the gateway is mounted. */
  readonly before?: (app: express.Express) => void;
  /** Called with the Express app after the gateway has been mounted. */
  readonly after?: (app: express.Express) => void;
}

/** Serves a request listener on a port of its own until the test ends. */
export async function serve(
  listener: (req: IncomingMessage, res: ServerResponse) => unknown,
): Promise<{ url: string; port: number; server: http.Server }> {
  const server = http.createServer(listener);
  server.keepAliveTimeout = KEPT_ALIVE_MS;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  onTestFinished(async () => {
    server.close();
    server.closeAllConnections();
    if (server.listening) await once(server, 'close');
  });
  return { url: `http://127.0.0.1:${port}`, port, server };
}

/** An Express 5 app with the gateway in it, closed when the test ends. */
export async function startApp(
  config: Parameters<typeof aiProxyMulti>[0],
  { host = {}, mount = '/', before, after }: AppOptions = {},
): Promise<App> {
  const logs: LogLine[] = [];
  const finished: Record<string, unknown>[] = [];
  let waiting: { count: number; resolve: () => void }[] = [];
  const log =
    (level: LogLine['level']) =>
    (data: object, message: string): void => {
      logs.push({ level, data: { ...data }, message });
    };
  const middleware = aiProxyMulti(config, {
    logger: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
    ...host,
    onFinish(finish) {
      finished.push(finish);
      host.onFinish?.(finish);
      for (const waiter of waiting) if (finished.length >= waiter.count) waiter.resolve();
      waiting = waiting.filter((waiter) => finished.length < waiter.count);
    },
  });
  const app = express();
  before?.(app);
  app.use(mount, middleware);
  after?.(app);
  const { url, port, server } = await serve(app);
  onTestFinished(async () => {
    server.closeAllConnections();
    await middleware.close();
  });
  return {
    url,
    port,
    middleware,
    logs,
    finished,
    server,
    async ended(count) {
      if (finished.length < count) await new Promise<void>((resolve) => waiting.push({ count, resolve }));
      return finished;
    },
  };
}

/** Sends a chat request (or any JSON body) with fetch. */
export function post(
  url: string,
  body: unknown = { messages: [{ role: 'user', content: 'Hi' }] },
  init: RequestInit = {},
): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    ...init,
    headers: { 'content-type': 'application/json', ...init.headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

export { llmVariables };
