import { ConfigError, type ConfigFault, type Logger } from 'ai-proxy-multi';
import express from 'express';
import { isJsonObject } from '../../../lib/config/json.ts';
import { type AdminRouter, makeAdminRouter } from '../../../lib/model-router/admin/make-admin-router.ts';
import type { ModelStatusRow } from '../../../lib/model-router/admin/model-status-row.ts';
import type {
  ModelRegistry,
  ResourceKind,
  WrittenModelRouter,
} from '../../../lib/model-router/admin/registry.ts';
import { type LogLine, serve } from '../../support/app.ts';

export const ADMIN_KEY = 'admin-local-only-change-me';

const FIELDS: Readonly<Record<ResourceKind, readonly string[]>> = {
  models: ['display_name', 'provider', 'model_name', 'provider_key_id', 'provider_key', 'routing'],
  provider_keys: ['display_name', 'provider', 'api_key', 'secret', 'api_base', 'tls', 'request'],
  api_keys: ['key_hash', 'allowed_models', 'expires_at'],
};

const NAMES = { models: 'display_name', provider_keys: 'display_name', api_keys: 'key_hash' } as const;

function check(kind: ResourceKind, value: unknown): readonly ConfigFault[] {
  if (!isJsonObject(value)) return [{ path: '', message: 'must be an object' }];
  const unknown = Object.keys(value)
    .filter((name) => !FIELDS[kind].includes(name))
    .map((path) => ({ path, message: 'is not a field' }));
  const name = NAMES[kind];
  return typeof value[name] === 'string'
    ? unknown
    : [...unknown, { path: name, message: 'must be a string' }];
}

function targetsOf(routing: unknown): readonly unknown[] {
  return isJsonObject(routing) && Array.isArray(routing.targets) ? routing.targets : [];
}

function targetFaults({ models }: WrittenModelRouter): readonly ConfigFault[] {
  const names = models.map((model) => model.display_name);
  return models.flatMap(({ routing }, index) =>
    targetsOf(routing).flatMap((target, position) =>
      isJsonObject(target) && names.includes(target.model)
        ? []
        : [{ path: `models[${index}].routing.targets[${position}].model`, message: 'is no model' }],
    ),
  );
}

/** A registry that does what its interface says, with as few rules as the tests need. */
export interface TestRegistry extends ModelRegistry {
  /** Every configuration that was put in force, in that order. */
  readonly saved: readonly WrittenModelRouter[];
  /** What the store does with the next configurations; nothing by default. */
  save: (config: WrittenModelRouter) => Promise<void>;
  rows: readonly ModelStatusRow[];
}

export function makeRegistry(config: Partial<WrittenModelRouter> = {}): TestRegistry {
  let current: WrittenModelRouter = { provider_keys: [], models: [], ...config };
  const saved: WrittenModelRouter[] = [];
  return {
    saved,
    rows: [],
    save: async () => {},
    // A new object each time: nobody may rely on finding the same ones again.
    current: () => structuredClone(current),
    check,
    async replace(next) {
      const faults = targetFaults(next);
      if (faults.length > 0) throw new ConfigError(faults);
      await this.save(next);
      current = structuredClone(next);
      saved.push(current);
    },
    status() {
      return this.rows;
    },
  };
}

export function makeLogger(logs: LogLine[]): Logger {
  const log =
    (level: LogLine['level']) =>
    (data: object, message: string): void => {
      logs.push({ level, data: { ...data }, message });
    };
  return { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') };
}

export interface AdminAnswer {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Headers;
}

export interface AdminApp {
  readonly url: string;
  readonly port: number;
  readonly registry: TestRegistry;
  readonly logs: readonly LogLine[];
  /** Sends a request with the admin key, and with a JSON body where there is one: a string goes as it is. */
  call(method: string, path: string, body?: unknown, init?: RequestInit): Promise<AdminAnswer>;
}

export interface AdminAppOptions {
  readonly makeApp?: typeof express;
  /** Default: as the registry and the logger are given. */
  readonly makeRouter?: (registry: ModelRegistry, logger: Logger) => AdminRouter;
  readonly before?: express.RequestHandler;
}

export async function startAdmin(
  config: Partial<WrittenModelRouter> = {},
  { makeApp = express, makeRouter, before }: AdminAppOptions = {},
): Promise<AdminApp> {
  const registry = makeRegistry(config);
  const logs: LogLine[] = [];
  const logger = makeLogger(logs);
  const app = makeApp();
  if (before !== undefined) app.use(before);
  app.use(makeRouter?.(registry, logger) ?? makeAdminRouter({ keys: [ADMIN_KEY] }, registry, logger));
  const { url, port } = await serve(app);
  return { url, port, registry, logs, call: makeCall(url) };
}

function makeCall(url: string): AdminApp['call'] {
  return async (method, path, body, init = {}) => {
    const response = await fetch(`${url}${path}`, {
      method,
      ...init,
      headers: {
        authorization: `Bearer ${ADMIN_KEY}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...init.headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? '' : JSON.parse(text), headers: response.headers };
  };
}

/** A field of an answer's body. */
export function field(answer: AdminAnswer, name: string): unknown {
  return isJsonObject(answer.body) ? answer.body[name] : undefined;
}

/** The id of what was just created. */
export function idOf(answer: AdminAnswer): string {
  return String(field(answer, 'id'));
}

export const UUID = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;

export const primary = {
  display_name: 'gpt-4o-primary',
  provider: 'openai',
  model_name: 'gpt-4o',
  provider_key_id: 'pk-openai',
} as const;

export const chatProd = {
  display_name: 'chat-prod',
  routing: {
    strategy: 'failover',
    targets: [{ model: 'gpt-4o-primary' }],
    retries: 1,
    max_fallbacks: 1,
    retry_on_429: true,
  },
} as const;

export const openaiKey = { display_name: 'openai', provider: 'openai', api_key: 'sk-of-openai' } as const;

/** SHA-256 of `sk-routing-demo`. */
export const caller = {
  key_hash: 'dd08e1fdcc327a5f15dedfba33172b5412b887d9d12ffc1076f77683b1ddbe3e',
  allowed_models: ['chat-prod'],
} as const;
