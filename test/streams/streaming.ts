import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { AiProxyMultiConfig } from 'ai-proxy-multi';
import { type App, type AppOptions, instance, startApp } from '../support/app.ts';
import { connectRaw, type RawClient, rawPost } from '../support/raw.ts';
import { chatEvent, type Script, startUpstream, type Upstream } from '../support/upstream.ts';

export const MESSAGES = [{ role: 'user', content: 'Hi' }];

/** A body that asks for a stream, and for its usage. */
export const asking = { messages: MESSAGES, stream: true, stream_options: { include_usage: true } };

/** A body that asks for a stream, and says nothing of usage. */
export const notAsking = { messages: MESSAGES, stream: true };

export function openStream(res: ServerResponse, headers: Record<string, string> = {}): void {
  res.writeHead(200, { 'content-type': 'text/event-stream', ...headers });
}

/** A gateway in front of one upstream, called `one`. */
export async function startStreaming(
  script: Script,
  config: Partial<AiProxyMultiConfig> = {},
  options: AppOptions = {},
): Promise<{ app: App; upstream: Upstream }> {
  const upstream = await startUpstream(script);
  const app = await startApp({ instances: [instance('one', upstream.url)], ...config }, options);
  return { app, upstream };
}

/** Sends a request whose answer is read as bytes. */
export async function ask(
  app: App,
  body: unknown = asking,
  path = '/v1/chat/completions',
  headers: readonly string[] = [],
): Promise<RawClient> {
  const client = await connectRaw(app.port);
  client.write(rawPost(path, JSON.stringify(body), headers));
  return client;
}

export interface WireAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  /** The body without the framing. */
  readonly body: string;
  /** Whether the chunk that completes a chunked body has come. */
  readonly isTerminated: boolean;
}

function dechunk(bytes: string): { body: string; isTerminated: boolean } {
  let body = '';
  let at = 0;
  for (;;) {
    const end = bytes.indexOf('\r\n', at);
    const size = Number.parseInt(bytes.slice(at, end), 16);
    if (end === -1 || Number.isNaN(size)) return { body, isTerminated: false };
    if (size === 0) return { body, isTerminated: bytes.startsWith('\r\n\r\n', end) };
    body += bytes.slice(end + 2, end + 2 + size);
    at = end + 2 + size + 2;
  }
}

/** Reads what a raw client has received. */
export function parseWire(received: string): WireAnswer {
  const head = received.indexOf('\r\n\r\n');
  const [statusLine = '', ...lines] = received.slice(0, head).split('\r\n');
  const headers = new Map(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
    }),
  );
  const rest = received.slice(head + 4);
  const isChunked = headers.get('transfer-encoding') === 'chunked';
  const { body, isTerminated } = isChunked ? dechunk(rest) : { body: rest, isTerminated: false };
  return {
    status: Number(statusLine.split(' ')[1]),
    headers,
    body: Buffer.from(body, 'latin1').toString(),
    isTerminated,
  };
}

/** Something that happens once, and can be waited for. */
export interface Signal<Value> {
  readonly happened: Promise<Value>;
  happen(value: Value): void;
}

export function signal<Value = void>(): Signal<Value> {
  let happen: (value: Value) => void = () => {};
  const happened = new Promise<Value>((resolve) => {
    happen = resolve;
  });
  return { happened, happen: (value) => happen(value) };
}

/** Resolves when a socket has closed, in whatever way; at once where it already has. */
export async function socketClosed(socket: Socket): Promise<void> {
  if (!socket.closed) await new Promise<void>((resolve) => socket.once('close', () => resolve()));
}

/** The protocols that stream: where they are asked, and what an event of theirs looks like. */
export const streamingProtocols = [
  {
    protocol: 'openai-chat',
    path: '/v1/chat/completions',
    provider: 'openai-compatible',
    event: chatEvent('Hi'),
  },
  {
    protocol: 'anthropic-messages',
    path: '/v1/messages',
    provider: 'anthropic',
    event: 'event: content_block_delta\ndata: {"type":"content_block_delta","delta":{"text":"Hi"}}\n\n',
  },
  {
    protocol: 'openai-responses',
    path: '/v1/responses',
    provider: 'openai-compatible',
    event: 'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","delta":"Hi"}\n\n',
  },
  {
    protocol: 'passthrough',
    path: '/v1/completions',
    provider: 'openai-compatible',
    event: 'data: {"object":"text_completion","choices":[{"text":"Hi"}]}\n\n',
  },
] as const;
