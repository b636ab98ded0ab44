import { readFileSync } from 'node:fs';
import { onTestFinished, vi } from 'vitest';
import { isObject, type JsonObject, objectsIn } from '../../lib/protocols/json.ts';
import { type App, type AppOptions, startApp } from '../support/app.ts';

/** The keys that the pages tell their reader to export. */
const ENVIRONMENT = {
  OPENAI_API_KEY: 'openai-key',
  DEEPSEEK_API_KEY: 'deepseek-key',
  ANTHROPIC_API_KEY: 'anthropic-key',
  AZ_OPENAI_API_KEY: 'azure-key',
  YOUR_LLM_API_KEY: 'own-key',
};

type Config = Parameters<typeof startApp>[0];

/** The JSON body of a page, as the fixture keeps it. */
export function readSeed(name: string): JsonObject {
  const url = new URL(`../fixtures/seeds/${name}.json`, import.meta.url);
  const json: unknown = JSON.parse(readFileSync(url, 'utf8'));
  if (!isObject(json)) throw new Error(`${name} is no object`);
  return json;
}

/** What the body has under `plugins["ai-proxy-multi"]`. */
export function readPlugin(name: string): JsonObject {
  const { plugins } = readSeed(name);
  const plugin = isObject(plugins) ? plugins['ai-proxy-multi'] : undefined;
  if (!isObject(plugin)) throw new Error(`${name} does not configure ai-proxy-multi`);
  return plugin;
}

export function setKeys(): void {
  for (const [name, value] of Object.entries(ENVIRONMENT)) vi.stubEnv(name, value);
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
}

/** The address on loopback; the path and query of an endpoint that the page gives are kept. */
function pointTo(entry: JsonObject, origin: string): JsonObject {
  const override = isObject(entry.override) ? entry.override : {};
  const given = typeof override.endpoint === 'string' ? new URL(override.endpoint) : undefined;
  const endpoint = given === undefined ? origin : `${origin}${given.pathname}${given.search}`;
  return { ...entry, override: { ...override, endpoint } };
}

function isConfig(value: JsonObject): value is JsonObject & Config {
  return Array.isArray(value.instances) || Array.isArray(value.providers);
}

/** A page's plugin as it is; the gateway itself finds out whether it is one. */
export function asConfig(plugin: JsonObject): Config {
  if (!isConfig(plugin)) throw new Error('neither instances nor providers');
  return plugin;
}

/**
 * A page's plugin, changed in nothing but the addresses of its LLMs.
 *
 * @param origins by the name of an instance, or, in the early form, of a provider
 */
export function pointToLoopback(plugin: JsonObject, origins: Readonly<Record<string, string>>): Config {
  const list = plugin.instances === undefined ? 'providers' : 'instances';
  const entries = objectsIn(plugin[list]).map((entry) => {
    const origin = origins[String(entry.name)];
    if (origin === undefined) throw new Error(`no address for ${entry.name}`);
    return pointTo(entry, origin);
  });
  return asConfig({ ...plugin, [list]: entries });
}

/** A gateway with the configuration of a page. */
export function startSeed(
  name: string,
  origins: Readonly<Record<string, string>>,
  options: AppOptions = {},
): Promise<App> {
  setKeys();
  return startApp(pointToLoopback(readPlugin(name), origins), options);
}
