import { once } from 'node:events';
import net, { type AddressInfo, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** A wire to Redis that can be listened to and held up. */
export interface Proxy {
  readonly host: string;
  readonly port: number;
  /** Connections taken so far. */
  readonly connections: number;
  /** From now on what Redis answers stays here. */
  hold(): void;
  /** Passes on what has been held up, and everything after it. */
  release(): void;
  /** Resolves when the client has sent, since the last `hold`, this many matches. */
  sent(pattern: RegExp, times: number): Promise<void>;
}

/** @param held whether it begins by holding up */
export async function startProxy(target: { host: string; port: number }, held = false): Promise<Proxy> {
  let holding = held;
  let connections = 0;
  let heard = '';
  let waiting: (() => void)[] = [];
  const pairs = new Set<{ client: Socket; redis: Socket }>();

  function listen(text: string): void {
    heard += text;
    const woken = waiting;
    waiting = [];
    for (const wake of woken) wake();
  }

  const server = net.createServer((client) => {
    connections += 1;
    const redis = net.connect(target);
    const pair = { client, redis };
    pairs.add(pair);
    client.on('data', (chunk) => {
      listen(chunk.toString('latin1'));
      redis.write(chunk);
    });
    redis.on('data', (chunk) => client.write(chunk));
    if (holding) redis.pause();
    for (const socket of [client, redis]) {
      // However a connection ends, it ends on both sides.
      socket.on('error', () => {});
      socket.on('close', () => {
        pairs.delete(pair);
        client.destroy();
        redis.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    for (const { client, redis } of pairs) {
      client.destroy();
      redis.destroy();
    }
  });
  const { port } = server.address() as AddressInfo;
  return {
    host: '127.0.0.1',
    port,
    get connections() {
      return connections;
    },
    hold() {
      holding = true;
      heard = '';
      for (const { redis } of pairs) redis.pause();
    },
    release() {
      holding = false;
      for (const { redis } of pairs) redis.resume();
    },
    async sent(pattern, times) {
      while ([...heard.matchAll(pattern)].length < times) {
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
    },
  };
}
