import { once } from 'node:events';
import http, { type IncomingHttpHeaders } from 'node:http';
import { type ApisixRouter, type ApisixRouterConfig, apisixRouter, type Host } from 'ai-proxy-multi';
import { onTestFinished } from 'vitest';
import type { ApisixRouteConfig, ApisixRoutePluginsConfig } from '../../lib/config/generated/apisix-route.ts';
import { isObject } from '../../lib/protocols/json.ts';
import { modelIn } from '../balancer/ask.ts';
import { instance, type LogLine, serve } from '../support/app.ts';
import { echoModel, type Script, startUpstream, type Upstream } from '../support/upstream.ts';

/** A route to an LLM that answers as the route is called. */
export type MakeRoute = (
  id: string,
  fields?: Partial<ApisixRouteConfig>,
  plugins?: ApisixRoutePluginsConfig,
) => ApisixRouteConfig;

/** A route at `/chat`, unless the fields say otherwise, with one instance that is called as it is. */
export function routeTo(
  url: string,
  id: string,
  fields: Partial<ApisixRouteConfig> = {},
  plugins: ApisixRoutePluginsConfig = {},
): ApisixRouteConfig {
  return {
    id,
    ...(fields.uris === undefined && fields.paths === undefined ? { uri: '/chat' } : {}),
    ...fields,
    plugins: { 'ai-proxy-multi': { instances: [instance(id, url)] }, ...plugins },
  };
}

export interface Asking {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The name of the instance that has answered, or the status of an answer that is not an LLM's. */
  readonly who: string;
}

const CHAT = '{"messages":[{"role":"user","content":"Hi"}]}';

/**
 * Sends one request, a chat unless it says otherwise, over a connection of its own.
 *
 * @param target as it stands in the request line; fetch would rewrite it
 */
export async function send(port: number, target: string, asking: Asking = {}): Promise<Answer> {
  const { method = 'POST', body = method === 'POST' ? CHAT : '' } = asking;
  const headers = {
    'content-length': String(Buffer.byteLength(body)),
    ...(body === '' ? {} : { 'content-type': 'application/json' }),
    ...asking.headers,
  };
  const req = http.request({ host: '127.0.0.1', port, path: target, method, headers, agent: false });
  const answered = new Promise<http.IncomingMessage>((resolve, reject) => {
    req.once('response', resolve);
    req.once('error', reject);
  });
  req.end(body);
  const res = await answered;
  let text = '';
  res.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  await once(res, 'end');
  const status = res.statusCode ?? 0;
  const isChat = status === 200 && text.startsWith('{');
  const who = isChat ? modelIn(text).replace('model-', '') : String(status);
  return { status, headers: res.headers, text, who };
}

export interface Log {
  readonly host: Host;
  readonly lines: readonly LogLine[];
}

export function keepLog(): Log {
  const lines: LogLine[] = [];
  const log =
    (level: LogLine['level']) =>
    (data: object, message: string): void => {
      lines.push({ level, data: { ...data }, message });
    };
  return {
    lines,
    host: {
      logger: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
    },
  };
}

/** A router that is closed when the test ends. */
export function openRouter(config: ApisixRouterConfig, host: Host = keepLog().host): ApisixRouter {
  const router = apisixRouter(config, host);
  onTestFinished(() => router.close());
  return router;
}

export interface Routing {
  readonly router: ApisixRouter;
  readonly url: string;
  readonly port: number;
  readonly server: http.Server;
  readonly logs: readonly LogLine[];
  /** Where all routes lead. */
  readonly llm: Upstream;
  readonly route: MakeRoute;
  ask(target: string, asking?: Asking): Promise<Answer>;
  /** Who answers a request. */
  who(target: string, asking?: Asking): Promise<string>;
}

export interface RoutingOptions {
  readonly script?: Script;
  readonly host?: Host;
}

/** A bare http server whose listener is a router. */
export async function startRouting(
  configure: (route: MakeRoute, llm: Upstream) => ApisixRouterConfig,
  { script = echoModel(), host = {} }: RoutingOptions = {},
): Promise<Routing> {
  const llm = await startUpstream(script);
  const log = keepLog();
  const route: MakeRoute = (...rest) => routeTo(llm.url, ...rest);
  const router = openRouter(configure(route, llm), { ...log.host, ...host });
  const { url, port, server } = await serve(router);
  const ask = (target: string, asking?: Asking): Promise<Answer> => send(port, target, asking);
  return {
    router,
    url,
    port,
    server,
    logs: log.lines,
    llm,
    route,
    ask,
    who: async (target, asking) => (await ask(target, asking)).who,
  };
}

function isRouterConfig(value: unknown): value is ApisixRouterConfig {
  return isObject(value) && 'routes' in value;
}

/** JSON of any kind; the router itself finds out whether it is a configuration. */
export function asRouterConfig(value: unknown): ApisixRouterConfig {
  if (!isRouterConfig(value)) throw new Error('there are no routes');
  return value;
}

/** A secret manager that answers when the test tells it to. */
export interface Vault {
  readonly host: Pick<Host, 'secret'>;
  tell(secret: string): void;
}

export function startVault(): Vault {
  let tell = (_secret: string): void => {};
  const told = new Promise<string>((resolve) => {
    tell = resolve;
  });
  return { host: { secret: () => told }, tell };
}
