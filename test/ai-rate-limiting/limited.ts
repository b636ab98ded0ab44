import { type AiRateLimitingConfig, aiRateLimiting, type RateLimitingMiddleware } from 'ai-proxy-multi';
import { onTestFinished } from 'vitest';
import {
  type App,
  type AppOptions,
  type InstanceConfig,
  instance,
  type LogLine,
  post,
  startApp,
} from '../support/app.ts';
import { answerJson, echoModel, type Script, startUpstream, type Upstream } from '../support/upstream.ts';

/** What `echoModel` reports for every answer. */
export const ANSWER_TOKENS = 31;

/** Long enough not to end within a test. */
export const HOUR = 3600;

type GatewayConfig = Parameters<typeof startApp>[0];
type Host = NonNullable<AppOptions['host']>;
type LimiterHost = NonNullable<Parameters<typeof aiRateLimiting>[1]>;

/** A limiter whose log is kept, closed when the test ends. */
export function makeLimiter(
  config: AiRateLimitingConfig,
  host: LimiterHost = {},
): { readonly limiter: RateLimitingMiddleware; readonly logs: readonly LogLine[] } {
  const logs: LogLine[] = [];
  const log =
    (level: LogLine['level']) =>
    (data: object, message: string): void => {
      logs.push({ level, data: { ...data }, message });
    };
  const logger = { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') };
  const limiter = aiRateLimiting(config, { logger, ...host });
  onTestFinished(() => limiter.close());
  return { limiter, logs };
}

export interface LimitedOptions {
  /** Names of the gateway's instances. Default: `a` alone. */
  readonly names?: readonly [string, ...string[]];
  /** What the instances' one upstream does with a POST. Default: it answers every chat for 23 + 8 tokens. */
  readonly script?: Script;
  /** Further fields of an instance. */
  readonly instance?: (name: string) => Partial<InstanceConfig>;
  /** Further fields of the gateway. */
  readonly config?: Partial<GatewayConfig>;
  readonly limiterHost?: LimiterHost;
  readonly host?: Host;
  /** What stands before the limiter. */
  readonly before?: AppOptions['before'];
  /** What stands between the limiter and the gateway. */
  readonly between?: AppOptions['before'];
}

export interface Limited {
  readonly app: App;
  readonly url: string;
  readonly upstream: Upstream;
  readonly limiter: RateLimitingMiddleware;
  /** The limiter's own log. */
  readonly logs: readonly LogLine[];
}

/** Nothing is used up by a GET, so that tests can ask what has been. */
function freeOfCharge(script: Script): Script {
  return (call, res, req) => (call.method === 'GET' ? answerJson(res, 200, {}) : script(call, res, req));
}

/** A gateway behind a limiter, in front of one upstream. The instance `x` sends it the model `model-x`. */
export async function startLimited(
  limits: AiRateLimitingConfig,
  {
    names = ['a'],
    script = echoModel(),
    instance: fieldsOf = () => ({}),
    config = {},
    limiterHost = {},
    host = {},
    before,
    between,
  }: LimitedOptions = {},
): Promise<Limited> {
  const upstream = await startUpstream(freeOfCharge(script));
  const { limiter, logs } = makeLimiter(limits, limiterHost);
  const [first, ...others] = names;
  const make = (name: string): InstanceConfig => instance(name, upstream.url, fieldsOf(name));
  const app = await startApp(
    { instances: [make(first), ...others.map(make)], ...config },
    {
      host,
      before(express) {
        before?.(express);
        express.use(limiter);
        between?.(express);
      },
    },
  );
  return { app, url: app.url, upstream, limiter, logs };
}

/** One counter as an answer's headers tell it; `undefined` for what they do not. */
export interface Told {
  readonly limit: number | undefined;
  readonly remaining: number | undefined;
  readonly reset: number | undefined;
}

function numberIn(headers: Headers, name: string): number | undefined {
  const value = headers.get(name);
  return value === null ? undefined : Number(value);
}

/** What the headers say of an instance's quota. */
export function toldOf({ headers }: Response, name: string): Told {
  return {
    limit: numberIn(headers, `x-ai-ratelimit-limit-${name}`),
    remaining: numberIn(headers, `x-ai-ratelimit-remaining-${name}`),
    reset: numberIn(headers, `x-ai-ratelimit-reset-${name}`),
  };
}

/** What they say of a rule's. @param prefix its `header_prefix`, or its place */
export function toldOfRule({ headers }: Response, prefix: string | number): Told {
  return {
    limit: numberIn(headers, `x-ai-${prefix}-ratelimit-limit`),
    remaining: numberIn(headers, `x-ai-${prefix}-ratelimit-remaining`),
    reset: numberIn(headers, `x-ai-${prefix}-ratelimit-reset`),
  };
}

/** The names of all headers that tell a quota, as fetch shows them. */
export function quotaHeaderNames({ headers }: Response): string[] {
  return [...headers.keys()].filter((name) => name.includes('ratelimit'));
}

/** Sends a chat, reads the answer to its end, and returns it all the same. */
export async function chat(url: string, headers: Record<string, string> = {}): Promise<Response> {
  const answer = await post(url, undefined, { headers });
  await answer.clone().text();
  return answer;
}

/** The status of each of so many chats, one after another. */
export async function statusesOf(
  url: string,
  count: number,
  headers: Record<string, string> = {},
): Promise<number[]> {
  const statuses: number[] = [];
  for (let index = 0; index < count; index++) statuses.push((await chat(url, headers)).status);
  return statuses;
}

/**
 * What has been used of an instance's quota so far: asked for with a request that uses nothing. With one instance only, or it would take somebody's turn.
 */
export async function usedOf(url: string, name = 'a', headers: Record<string, string> = {}): Promise<number> {
  const answer = await fetch(`${url}/v1/models`, { headers });
  await answer.text();
  const { limit, remaining } = toldOf(answer, name);
  if (limit === undefined || remaining === undefined) throw new Error(`nothing is told of ${name}`);
  return limit - remaining;
}

/** The same of a rule's. */
export async function usedOfRule(
  url: string,
  prefix: string | number = 1,
  headers: Record<string, string> = {},
): Promise<number> {
  const answer = await fetch(`${url}/v1/models`, { headers });
  await answer.text();
  const { limit, remaining } = toldOfRule(answer, prefix);
  if (limit === undefined || remaining === undefined) throw new Error(`nothing is told of rule ${prefix}`);
  return limit - remaining;
}
