import { once } from 'node:events';
import net from 'node:net';
import { onTestFinished } from 'vitest';

/** A client that speaks bytes. */
export interface RawClient {
  readonly socket: net.Socket;
  /** Everything received so far, one character per byte. */
  readonly received: string;
  write(bytes: string | Buffer): void;
  /** Resolves when what has been received holds `text`; rejects when the connection ends before. */
  until(text: string): Promise<string>;
  /** Resolves with everything received when the connection has closed. */
  closed(): Promise<string>;
}

export async function connectRaw(port: number): Promise<RawClient> {
  const socket = net.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  let received = '';
  let open = true;
  let listeners: (() => void)[] = [];
  const notify = (): void => {
    const called = listeners;
    listeners = [];
    for (const listener of called) listener();
  };
  socket.on('data', (chunk) => {
    received += chunk.toString('latin1');
    notify();
  });
  // A reset is one of the ways in which a connection closes.
  socket.on('error', () => {});
  socket.on('close', () => {
    open = false;
    notify();
  });
  onTestFinished(() => {
    socket.destroy();
  });
  const change = (): Promise<void> => new Promise((resolve) => listeners.push(resolve));
  return {
    socket,
    get received() {
      return received;
    },
    write(bytes) {
      socket.write(bytes);
    },
    async until(text) {
      while (!received.includes(text)) {
        if (!open) throw new Error(`The connection closed before ${JSON.stringify(text)}: ${received}`);
        await change();
      }
      return received;
    },
    async closed() {
      while (open) await change();
      return received;
    },
  };
}

/** The bytes of a POST with a JSON body. */
export function rawPost(path: string, body: string, headers: readonly string[] = []): string {
  return [
    `POST ${path} HTTP/1.1`,
    'Host: gateway.test',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...headers,
    '',
    body,
  ].join('\r\n');
}
