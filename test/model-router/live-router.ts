import { createHash } from 'node:crypto';
import { type ModelRouter, type ModelRouterConfig, type ModelRouterHost, modelRouter } from 'ai-proxy-multi';
import express from 'express';
import { onTestFinished } from 'vitest';
import { isJsonObject, type JsonObject } from '../../lib/config/json.ts';
import { type LogLine, serve } from '../support/app.ts';
import { answerJson, chatAnswer, startUpstream, type Upstream } from '../support/upstream.ts';
import { ADMIN_KEY, makeLogger } from './admin/admin-app.ts';

export function hashOf(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

/** An LLM whose behaviour a test can change: until told otherwise it answers. */
export interface Vendor extends Upstream {
  /** The status it answers with from now on. */
  status: number;
}

/** The status of a vendor that says nothing. */
export const SILENT = 0;

export async function startVendor(name: string): Promise<Vendor> {
  const state = { status: 200 };
  const upstream = await startUpstream((_call, res) => {
    if (state.status === SILENT) return;
    if (state.status === 200) answerJson(res, 200, chatAnswer(`${name}-upstream`));
    else answerJson(res, state.status, { error: { message: `${name} fails` } });
  });
  return Object.defineProperty(Object.assign(state, upstream), 'connections', {
    get: () => upstream.connections,
  });
}

export function keyAt(name: string, url: string): ModelRouterConfig['provider_keys'][number] {
  return {
    id: name,
    display_name: name,
    provider: 'openai',
    api_key: `secret-of-${name}`,
    api_base: `${url}/v1`,
  };
}

export function modelOf(name: string, more: JsonObject = {}): JsonObject {
  return {
    display_name: name,
    provider: 'openai',
    model_name: `${name}-upstream`,
    provider_key_id: name,
    ...more,
  };
}

export function aliasOf(
  name: string,
  targets: readonly (string | JsonObject)[],
  more: JsonObject = {},
): JsonObject {
  const list = targets.map((target) => (typeof target === 'string' ? { model: target } : target));
  return { display_name: name, routing: { targets: list, ...more } };
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

async function read(response: Response): Promise<Answer> {
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? '' : JSON.parse(text) };
}

export interface LiveOptions {
  readonly host?: ModelRouterHost;
}

/** A router and its admin API in one Express app, as an application mounts them. */
export interface Live {
  readonly url: string;
  readonly router: ModelRouter;
  readonly logs: readonly LogLine[];
  /** Sends a request to the admin API, with its key. */
  admin(method: string, path: string, body?: unknown): Promise<Answer>;
  /** Asks a model for a chat. Default: `chat`, by the caller whose key is `caller`. */
  chat(model?: string, key?: string): Promise<Answer>;
  /** The model that answers the alias, or the status of an answer without one. */
  whoServes(alias?: string): Promise<string>;
}

function isConfig(value: JsonObject): value is JsonObject & ModelRouterConfig {
  return Array.isArray(value.models) && Array.isArray(value.provider_keys);
}

/** Whatever a test makes of it; the router itself finds out whether it is one. */
export function asConfig(config: JsonObject): ModelRouterConfig {
  if (!isConfig(config)) throw new Error('no configuration');
  return config;
}

export async function startLive(config: JsonObject, { host = {} }: LiveOptions = {}): Promise<Live> {
  const logs: LogLine[] = [];
  const router = modelRouter(asConfig(config), { logger: makeLogger(logs), ...host });
  const app = express();
  app.use(router);
  app.use(router.admin({ keys: [ADMIN_KEY] }));
  const { url } = await serve(app);
  onTestFinished(() => router.close());
  const send = async (path: string, method: string, key: string, body?: unknown) =>
    read(
      await fetch(`${url}${path}`, {
        method,
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      }),
    );
  const chat = (model = 'chat', key = 'caller') =>
    send('/v1/chat/completions', 'POST', key, { model, messages: [{ role: 'user', content: 'Hi' }] });
  return {
    url,
    router,
    logs,
    admin: (method, path, body) => send(`/admin/v1/${path}`, method, ADMIN_KEY, body),
    chat,
    async whoServes(alias) {
      const { status, headers } = await chat(alias);
      return headers.get('x-aisix-served-by') ?? String(status);
    },
  };
}

/** The entry of that name in a list of the admin API. */
export async function findEntry(
  live: Live,
  list: string,
  name: string,
): Promise<{ id: string; value: JsonObject }> {
  const { body } = await live.admin('GET', list);
  const entries: readonly unknown[] = Array.isArray(body) ? body : [];
  for (const entry of entries) {
    if (!isJsonObject(entry) || !isJsonObject(entry.value)) continue;
    const { id, value } = entry;
    if (value.display_name === name || value.key_hash === name) return { id: String(id), value };
  }
  throw new Error(`${name} is not in ${list}`);
}

/** Two vendors, a model at each, and the alias `chat` of both. */
export async function startPair(options: LiveOptions & { readonly more?: JsonObject } = {}) {
  const one = await startVendor('one');
  const two = await startVendor('two');
  const config = {
    provider_keys: [keyAt('one', one.url), keyAt('two', two.url)],
    models: [modelOf('one'), modelOf('two'), aliasOf('chat', ['one', 'two'])],
    api_keys: [{ key_hash: hashOf('caller'), allowed_models: ['*'] }],
    ...options.more,
  };
  return { one, two, config, live: await startLive(config, options) };
}
