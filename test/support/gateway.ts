import type { AiProxyMultiConfig } from 'ai-proxy-multi';
import { type App, type AppOptions, instance, startApp } from './app.ts';
import { connectRaw } from './raw.ts';
import { echoModel, startUpstream, type Upstream } from './upstream.ts';

export interface Gateway {
  readonly app: App;
  readonly upstream: Upstream;
}

/** A gateway in front of one upstream that answers whatever it is sent. */
export async function startGateway(
  config: Partial<AiProxyMultiConfig> = {},
  options: AppOptions = {},
): Promise<Gateway> {
  const upstream = await startUpstream(echoModel());
  const app = await startApp({ instances: [instance('one', upstream.url)], ...config }, options);
  return { app, upstream };
}

/** What an answer of the gateway's own says. */
export interface Refusal {
  readonly status: number;
  readonly code: unknown;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** The `code` in an error's JSON, in OpenAI's shape or Anthropic's; `undefined` for an answer without one. */
export function codeIn(body: string): unknown {
  if (body === '') return undefined;
  const json: unknown = JSON.parse(body);
  return isObject(json) && isObject(json.error) ? json.error.code : undefined;
}

export async function refusalOf(response: Response): Promise<Refusal> {
  return { status: response.status, code: codeIn(await response.text()) };
}

/** A whole answer as it came over the wire. */
export interface RawAnswer extends Refusal {
  /** Each line of the head below the status, as sent. */
  readonly headers: readonly string[];
  readonly body: string;
}

/** Reads the only answer of a connection. */
export function readAnswer(received: string): RawAnswer {
  const end = received.indexOf('\r\n\r\n');
  const [statusLine = '', ...headers] = received.slice(0, end).split('\r\n');
  const body = received.slice(end + 4);
  return { status: Number(statusLine.split(' ')[1]), headers, body, code: codeIn(body) };
}

/**
 * Sends one request as bytes and reads the answer up to the end of the connection.
 *
 * @param requestLine such as `GET /v1/models`
 */
export async function sendRaw(
  port: number,
  requestLine: string,
  headers: readonly string[] = [],
  body = '',
): Promise<RawAnswer> {
  const client = await connectRaw(port);
  const lines = [`${requestLine} HTTP/1.1`, 'Host: gateway.test', 'Connection: close', ...headers, '', body];
  client.write(Buffer.from(lines.join('\r\n'), 'latin1'));
  return readAnswer(await client.closed());
}
