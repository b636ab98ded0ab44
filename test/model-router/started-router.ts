import { createHash } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import {
  type FinishRecord,
  type ModelRouter,
  type ModelRouterConfig,
  type ModelRouterHost,
  modelRouter,
} from 'ai-proxy-multi';
import { onTestFinished } from 'vitest';
import { type LogLine, post, serve } from '../support/app.ts';

type Model = ModelRouterConfig['models'][number];
type ProviderKey = ModelRouterConfig['provider_keys'][number];
type CallerKey = NonNullable<ModelRouterConfig['api_keys']>[number];
type Routing = NonNullable<Model['routing']>;

/** A key for what listens at this URL; its secret is `secret-of-{name}`. */
export function keyFor(name: string, url: string, more: Partial<ProviderKey> = {}): ProviderKey {
  const base = { id: `pk-${name}`, display_name: name, provider: 'openai', api_key: `secret-of-${name}` };
  return { ...base, api_base: `${url}/v1`, ...more };
}

/** A direct model behind the key of the same name; upstream it is called `upstream-{name}`. */
export function modelFor(name: string, more: Partial<Model> = {}): Model {
  const upstream = { provider: 'openai', model_name: `upstream-${name}`, provider_key_id: `pk-${name}` };
  return { display_name: name, ...upstream, ...more };
}

/** An alias of these models, tried in this order. */
export function aliasOf(
  name: string,
  targets: readonly string[],
  routing: Partial<Routing> = {},
  more: Partial<Model> = {},
): Model {
  const [first = '', ...others] = targets;
  return {
    display_name: name,
    routing: { targets: [{ model: first }, ...others.map((model) => ({ model }))], ...routing },
    ...more,
  };
}

export function callerFor(key: string, more: Partial<CallerKey> = {}): CallerKey {
  return { key_hash: createHash('sha256').update(key).digest('hex'), allowed_models: ['*'], ...more };
}

export interface StartedRouter {
  readonly url: string;
  readonly port: number;
  readonly server: Server;
  readonly router: ModelRouter;
  readonly logs: readonly LogLine[];
  readonly finished: readonly FinishRecord[];
  /** Resolves when that many requests have ended. */
  ended(count: number): Promise<readonly FinishRecord[]>;
}

export interface RouterOptions {
  readonly host?: ModelRouterHost;
  /** Called in the place of the router, which it may call. */
  readonly around?: (router: ModelRouter) => (req: IncomingMessage, res: ServerResponse) => void;
}

/** A router on a port of its own, closed when the test ends. */
export async function startRouter(
  config: ModelRouterConfig,
  { host = {}, around = (router) => router }: RouterOptions = {},
): Promise<StartedRouter> {
  const logs: LogLine[] = [];
  const finished: FinishRecord[] = [];
  let waiting: (() => void)[] = [];
  const log =
    (level: LogLine['level']) =>
    (data: object, message: string): void => {
      logs.push({ level, data: { ...data }, message });
    };
  const router = modelRouter(config, {
    logger: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
    ...host,
    onFinish(record) {
      finished.push(record);
      host.onFinish?.(record);
      const called = waiting;
      waiting = [];
      for (const resolve of called) resolve();
    },
  });
  const { url, port, server } = await serve(around(router));
  onTestFinished(async () => {
    server.closeAllConnections();
    await router.close();
  });
  return {
    url,
    port,
    server,
    router,
    logs,
    finished,
    async ended(count) {
      while (finished.length < count) await new Promise<void>((resolve) => waiting.push(resolve));
      return finished;
    },
  };
}

/** Sends a chat for this model. */
export function chat(
  { url }: Pick<StartedRouter, 'url'>,
  model: string,
  more: Record<string, unknown> = {},
  headers: Record<string, string> = {},
): Promise<Response> {
  const body = { model, messages: [{ role: 'user', content: 'Hi' }], ...more };
  return post(`${url}/v1/chat/completions`, body, { headers });
}

export function bearer(key: string): Record<string, string> {
  return { authorization: `Bearer ${key}` };
}

/** The error in an answer of the router's. */
export async function errorIn(response: Response): Promise<unknown> {
  const json: unknown = await response.json();
  return typeof json === 'object' && json !== null && 'error' in json ? json.error : json;
}
