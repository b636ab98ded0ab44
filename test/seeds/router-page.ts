import type { ApisixRouter, ApisixRouterConfig } from 'ai-proxy-multi';
import { isObject, type JsonObject } from '../../lib/protocols/json.ts';
import { keepLog, openRouter } from '../apisix-router/routing.ts';
import { modelIn } from '../balancer/ask.ts';
import { type LogLine, post, serve } from '../support/app.ts';
import { pointToLoopback, readPlugin, readSeed, setKeys } from './seed.ts';

/** What somebody has sent to the Admin API, by reading a page from its top to its end. */
export interface RouterPage {
  readonly routes: readonly JsonObject[] | JsonObject;
  readonly consumers?: readonly JsonObject[];
  readonly upstreams?: readonly JsonObject[] | JsonObject;
}

function isRouterConfig(page: object): page is ApisixRouterConfig {
  return 'routes' in page;
}

/** A page's route, changed in nothing but the addresses of its LLMs. */
export function readRoute(name: string, origins: Readonly<Record<string, string>>): JsonObject {
  const route = readSeed(name);
  const plugins = isObject(route.plugins) ? route.plugins : {};
  return { ...route, plugins: { ...plugins, 'ai-proxy-multi': pointToLoopback(readPlugin(name), origins) } };
}

/** A page's consumer, with the credential that the page sends to `/consumers/{username}/credentials`. */
export function readConsumer(username: string): JsonObject {
  const credential = readSeed(`003-consumer-${username}-credential`);
  return { ...readSeed(`003-consumer-${username}`), credentials: [credential] };
}

export interface ServedPage {
  readonly router: ApisixRouter;
  readonly url: string;
  readonly logs: readonly LogLine[];
  /** The variables of each request that has ended. */
  readonly finished: readonly Readonly<Record<string, unknown>>[];
}

/** Serves what a page configures, on a bare http server in APISIX's place. */
export async function servePage(page: RouterPage): Promise<ServedPage> {
  setKeys();
  const log = keepLog();
  const finished: Readonly<Record<string, unknown>>[] = [];
  if (!isRouterConfig(page)) throw new Error('the page has no routes');
  const router = openRouter(page, { ...log.host, onFinish: (finish) => finished.push(finish) });
  const { url } = await serve(router);
  return { router, url, logs: log.lines, finished };
}

/** The model that answers, or the status of an answer without one. */
export async function whoAnswers(
  url: string,
  question: unknown,
  headers: Record<string, string> = {},
): Promise<string> {
  const answer = await post(url, question, { headers });
  const text = await answer.text();
  return answer.ok ? modelIn(text) : String(answer.status);
}
