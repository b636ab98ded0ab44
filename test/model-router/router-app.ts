import { createHash } from 'node:crypto';
import {
  type CallerKeyConfig,
  type ModelConfig,
  type ModelRouter,
  type ModelRouterConfig,
  type ModelRouterHost,
  modelRouter,
  type ProviderKeyConfig,
} from 'ai-proxy-multi';
import type { RequestHandler } from 'express';
import express from 'express';
import { onTestFinished } from 'vitest';
import { isJsonObject } from '../../lib/config/json.ts';
import { type LogLine, serve } from '../support/app.ts';
import { answerJson, chatEvent, doneEvent, type Script } from '../support/upstream.ts';

export type Routing = NonNullable<ModelConfig['routing']>;
type RoutingTarget = Routing['targets'][number];

/** A direct model, and the provider key that is its alone. */
export interface TargetConfig {
  readonly model: ModelConfig;
  readonly key: ProviderKeyConfig;
}

/** A model at an upstream of the test. It is called `upstream-{name}` there, with the key `sk-{name}`. */
export function target(
  name: string,
  { url }: { readonly url: string },
  model: Partial<ModelConfig> = {},
  key: Partial<ProviderKeyConfig> = {},
): TargetConfig {
  return {
    model: {
      display_name: name,
      provider: 'openai',
      model_name: `upstream-${name}`,
      provider_key: `key-${name}`,
      ...model,
    },
    key: { display_name: `key-${name}`, api_key: `sk-${name}`, api_base: `${url}/v1`, ...key },
  };
}

/** @param targets names, or whole targets */
export function alias(
  name: string,
  targets: readonly (string | RoutingTarget)[],
  routing: Partial<Routing> = {},
  model: Partial<ModelConfig> = {},
): ModelConfig {
  const list = targets.map((each) => (typeof each === 'string' ? { model: each } : each));
  return { display_name: name, routing: { targets: list, ...routing }, ...model };
}

export function caller(
  key: string,
  allowed: readonly string[],
  more: Partial<CallerKeyConfig> = {},
): CallerKeyConfig {
  const key_hash = createHash('sha256').update(key).digest('hex');
  return { key_hash, allowed_models: [...allowed], ...more };
}

/** An answer, read to its end. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** `undefined` for what is no JSON. */
  readonly json: unknown;
}

export async function readAll(response: Response): Promise<Answer> {
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: parse(text) };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Something below the top of an answer or a body: `at(answer.json, 'error', 'code')`. */
export function at(json: unknown, ...path: readonly (string | number)[]): unknown {
  let found = json;
  for (const name of path) {
    if (Array.isArray(found)) found = found[Number(name)];
    else found = isJsonObject(found) ? found[name] : undefined;
  }
  return found;
}

export interface RouterApp {
  readonly url: string;
  readonly port: number;
  readonly router: ModelRouter;
  readonly config: ModelRouterConfig;
  readonly logs: readonly LogLine[];
  /** The variables of each request that has ended, in the order of their ends. */
  readonly finished: readonly Record<string, unknown>[];
  /** Sends a chat for a model; `more` goes into its body. */
  send(model: string, more?: object, init?: RequestInit): Promise<Response>;
  /** The same, its answer read. */
  ask(model: string, more?: object, headers?: Record<string, string>): Promise<Answer>;
  /** Sends any body to any path. */
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Answer>;
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
  /** The row of a model in `status()`. */
  state(model: string): Readonly<Record<string, unknown>>;
}

export interface RouterParts {
  readonly targets: readonly TargetConfig[];
  readonly aliases?: readonly ModelConfig[];
  readonly api_keys?: CallerKeyConfig[];
}

export interface RouterOptions {
  readonly host?: ModelRouterHost;
  /** Where the router is mounted. Default: '/'. */
  readonly mount?: string;
  readonly before?: RequestHandler;
}

export const messages = [{ role: 'user' as const, content: 'Hi' }];

export function configOf({ targets, aliases = [], api_keys }: RouterParts): ModelRouterConfig {
  return {
    provider_keys: targets.map(({ key }) => key),
    models: [...targets.map(({ model }) => model), ...aliases],
    ...(api_keys !== undefined && { api_keys }),
  };
}

/** An Express 5 app with a model router in it, closed when the test ends. */
export async function startRouter(
  parts: RouterParts,
  { host = {}, mount = '/', before }: RouterOptions = {},
): Promise<RouterApp> {
  const logs: LogLine[] = [];
  const finished: Record<string, unknown>[] = [];
  const log =
    (level: LogLine['level']) =>
    (data: object, message: string): void => {
      logs.push({ level, data: { ...data }, message });
    };
  const config = configOf(parts);
  const router = modelRouter(config, {
    logger: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
    ...host,
    onFinish(finish) {
      finished.push({ ...finish });
      host.onFinish?.(finish);
    },
  });
  const app = express();
  // Addresses of callers are the test's to choose.
  app.set('trust proxy', true);
  if (before !== undefined) app.use(before);
  app.use(mount, router);
  const { url, port, server } = await serve(app);
  onTestFinished(async () => {
    server.closeAllConnections();
    await router.close();
  });
  return { url, port, router, config, logs, finished, ...calls(`${url}${mount.replace(/\/$/, '')}`, router) };
}

function calls(
  base: string,
  router: ModelRouter,
): Pick<RouterApp, 'send' | 'ask' | 'post' | 'get' | 'state'> {
  const post = (path: string, body: unknown, init: RequestInit = {}): Promise<Response> =>
    fetch(`${base}${path}`, {
      method: 'POST',
      ...init,
      headers: { 'content-type': 'application/json', ...init.headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  const send: RouterApp['send'] = (model, more = {}, init = {}) =>
    post('/v1/chat/completions', { model, messages, ...more }, init);
  return {
    send,
    ask: async (model, more, headers = {}) => readAll(await send(model, more, { headers })),
    post: async (path, body, headers = {}) => readAll(await post(path, body, { headers })),
    get: async (path, headers = {}) => readAll(await fetch(`${base}${path}`, { headers })),
    state: (model) => ({ ...router.status().models.find(({ display_name }) => display_name === model) }),
  };
}

/** Who answered: `x-aisix-served-by`. */
export function servedBy({ headers }: { readonly headers: Headers }): string | null {
  return headers.get('x-aisix-served-by');
}

/** Asks one after the other, and says who answered each. */
export async function servedInTurn(app: RouterApp, model: string, count: number): Promise<(string | null)[]> {
  const names: (string | null)[] = [];
  for (let index = 0; index < count; index++) names.push(servedBy(await app.ask(model)));
  return names;
}

export function countOf<Item>(items: readonly Item[], wanted: Item): number {
  return items.filter((item) => item === wanted).length;
}

/** Answers with an error, as OpenAI does. */
export function failWith(
  status: number,
  headers: Record<string, string> = {},
  error: object = { message: 'upstream words', type: 'some_type', code: 'some_code' },
): Script {
  return (_call, res) => answerJson(res, status, { error }, headers);
}

/** Answers with these events. */
export function streamOf(...events: readonly string[]): Script {
  return (_call, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.end(events.join(''));
  };
}

export const shortStream: Script = streamOf(chatEvent('Hel'), chatEvent('lo'), doneEvent);

/** Answers its first requests by these scripts, and all further ones by the last of them. */
export function inTurn(...scripts: readonly Script[]): Script {
  let count = 0;
  return (call, res, req) => scripts[Math.min(count++, scripts.length - 1)]?.(call, res, req);
}
