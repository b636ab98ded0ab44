import { once } from 'node:events';
import http, { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { ownPort } from './own-port.ts';

/** One request as the upstream got it. */
export interface Call {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  /** The body's bytes as text. */
  readonly body: string;
  readonly socket: Socket;
}

export type Script = (call: Call, res: ServerResponse, req: IncomingMessage) => unknown;

export interface Upstream {
  readonly url: string;
  readonly port: number;
  /** In the order in which their bodies were complete. */
  readonly calls: readonly Call[];
  /** Sockets that are open now. */
  readonly sockets: ReadonlySet<Socket>;
  readonly server: http.Server;
  /** Sockets accepted so far. */
  readonly connections: number;
  close(): Promise<void>;
}

/** Longer than any test: what a server does with an idle connection after 5 s is no part of what most tests are about. */
export const KEPT_ALIVE_MS = 120_000;

/** An LLM in the test's own process, on a port of its own, closed when the test ends. */
export async function startUpstream(script: Script): Promise<Upstream> {
  const calls: Call[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = http.createServer(async (req, res) => {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of req) chunks.push(chunk);
    } catch {
      // A request that is aborted while it is sent is no call.
      return;
    }
    const call: Call = {
      method: req.method ?? '',
      url: req.url ?? '',
      headers: req.headers,
      rawHeaders: req.rawHeaders,
      body: Buffer.concat(chunks).toString(),
      socket: req.socket,
    };
    calls.push(call);
    await script(call, res, req);
  });
  server.keepAliveTimeout = KEPT_ALIVE_MS;
  server.on('connection', (socket) => {
    connections++;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
  });
  const port = await ownPort();
  await once(server.listen(port, '127.0.0.1'), 'listening');
  async function close(): Promise<void> {
    if (!server.listening) return;
    server.close();
    server.closeAllConnections();
    for (const socket of sockets) socket.destroy();
    await once(server, 'close');
  }
  onTestFinished(close);
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    calls,
    sockets,
    server,
    get connections() {
      return connections;
    },
    close,
  };
}

/** A chat answer that says who gave it. */
export function chatAnswer(model: string, content = 'Hello'): Record<string, unknown> {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1700000000,
    model,
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 23, completion_tokens: 8, total_tokens: 31 },
  };
}

export function answerJson(
  res: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  res.writeHead(status, { 'content-type': 'application/json', ...headers });
  res.end(JSON.stringify(body));
}

/** A script that answers every chat with `model` from the body, else the given name. */
export function echoModel(name = 'model'): Script {
  return (call, res) => {
    const body: unknown = call.body === '' ? {} : JSON.parse(call.body);
    const model =
      typeof body === 'object' && body !== null && 'model' in body && typeof body.model === 'string'
        ? body.model
        : name;
    answerJson(res, 200, chatAnswer(model));
  };
}

/** The text of one chat completion chunk as an SSE event. */
export function chatEvent(content: string, extra: Record<string, unknown> = {}): string {
  return `data: ${JSON.stringify({
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    created: 1700000000,
    model: 'm',
    choices: [{ index: 0, delta: { content }, finish_reason: null }],
    ...extra,
  })}\n\n`;
}

export const usageEvent = `data: ${JSON.stringify({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 1700000000,
  model: 'm',
  choices: [],
  usage: { prompt_tokens: 23, completion_tokens: 8, total_tokens: 31 },
})}\n\n`;

export const doneEvent = 'data: [DONE]\n\n';
