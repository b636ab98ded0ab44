import { once } from 'node:events';
import net, { type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { ownPort } from './own-port.ts';

/** An upstream that speaks bytes. */
export interface RawUpstream {
  readonly url: string;
  readonly port: number;
  /** Heads that have come in, with whatever followed in the same read. */
  readonly requests: readonly string[];
  /** Connections accepted so far. */
  readonly connections: number;
  /** Sockets that are open now. */
  readonly sockets: ReadonlySet<Socket>;
  /** Resolves when that many requests have come in. */
  requested(count: number): Promise<void>;
  /** Resolves when no socket is open any more. */
  deserted(): Promise<void>;
}

/** Called when a request's head has come in; `count` is 1 for the first. */
export type RawScript = (socket: Socket, count: number) => unknown;

/** A server on a port of its own that calls `script` for every head it sees, closed when the test ends. */
export async function startRawUpstream(
  script: RawScript,
  onConnection: (socket: Socket) => void = () => {},
): Promise<RawUpstream> {
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  let waiting: (() => void)[] = [];
  const changed = (): void => {
    const called = waiting;
    waiting = [];
    for (const resolve of called) resolve();
  };
  const change = (): Promise<void> => new Promise((resolve) => waiting.push(resolve));
  const server = net.createServer((socket) => {
    connections++;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => {
      sockets.delete(socket);
      changed();
    });
    socket.on('data', (chunk) => {
      const text = chunk.toString('latin1');
      if (!/^[A-Z]+ \S+ HTTP\/1\.1\r\n/.test(text)) return;
      requests.push(text);
      script(socket, requests.length);
      changed();
    });
    onConnection(socket);
  });
  const port = await ownPort();
  await once(server.listen(port, '127.0.0.1'), 'listening');
  onTestFinished(async () => {
    server.close();
    for (const socket of sockets) socket.destroy();
    if (server.listening) await once(server, 'close');
  });
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    requests,
    sockets,
    get connections() {
      return connections;
    },
    async requested(count) {
      while (requests.length < count) await change();
    },
    async deserted() {
      while (sockets.size > 0) await change();
    },
  };
}

/** The bytes of an answer with its length. */
export function rawAnswer(status: string, body: string, headers: readonly string[] = []): string {
  return [
    `HTTP/1.1 ${status}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...headers,
    '',
    body,
  ].join('\r\n');
}

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n';
const STREAM_HEAD =
  'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n';

/** The ways in which an upstream fails before the first byte of its answer's body, by what it does. */
export const failures = {
  'resets the connection before the head': (socket) => socket.resetAndDestroy(),
  'closes the connection before the head': (socket) => socket.end(),
  'closes in the middle of the head': (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Ty'),
  'resets after the head': (socket) => socket.write(HEAD, () => socket.resetAndDestroy()),
  'closes after the head': (socket) => socket.end(HEAD),
  'closes after the head of a stream': (socket) => socket.end(STREAM_HEAD),
  'answers something that is not HTTP': (socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'),
  'answers a head without end': (socket) =>
    socket.write(`HTTP/1.1 200 OK\r\n${'X-Bomb: 0123456789abcdef\r\n'.repeat(4000)}`),
  'switches protocols unasked': (socket) =>
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n'),
  'says nothing': () => {},
  'says nothing after the head': (socket) => socket.write(HEAD),
  'says nothing after the head of a stream': (socket) => socket.write(STREAM_HEAD),
} as const satisfies Record<string, RawScript>;

export type FailureName = keyof typeof failures;

/** Status and code of the gateway's answer for each. */
export const failureAnswers: Readonly<Record<FailureName, readonly [status: number, code: string]>> = {
  'resets the connection before the head': [502, 'upstream_reset'],
  'closes the connection before the head': [502, 'upstream_reset'],
  'closes in the middle of the head': [502, 'upstream_reset'],
  'resets after the head': [502, 'upstream_reset'],
  'closes after the head': [502, 'upstream_reset'],
  'closes after the head of a stream': [502, 'upstream_reset'],
  'answers something that is not HTTP': [502, 'upstream_invalid_answer'],
  'answers a head without end': [502, 'upstream_invalid_answer'],
  'switches protocols unasked': [502, 'upstream_invalid_answer'],
  'says nothing': [504, 'upstream_timeout'],
  'says nothing after the head': [504, 'upstream_timeout'],
  'says nothing after the head of a stream': [504, 'upstream_timeout'],
};

/**
 * The `timeout` for a test with this failure: short where it has to run out. Long enough all the same for the
 * instances that are well, on a machine that is busy.
 */
export function timeoutFor(name: FailureName): number {
  return failureAnswers[name][0] === 504 ? 500 : 30_000;
}

export const failureNames = Object.keys(failures).filter((name): name is FailureName => name in failures);

/** A name that no resolver is asked for: its label is longer than DNS allows. */
export const UNRESOLVABLE = `http://${'a'.repeat(64)}.test`;

/** The `code` of an error in OpenAI's shape. */
export function errorCode(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || !('error' in body)) return undefined;
  const { error } = body;
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}
