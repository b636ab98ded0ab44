import http from 'node:http';
import https from 'node:https';

export interface SocketOptions {
  readonly keepalive: boolean;
  readonly keepaliveTimeoutMs: number;
  /** Idle sockets kept, not open ones: streams never queue behind each other. */
  readonly keepalivePool: number;
  readonly verifyCertificate: boolean;
}

/** One instance's sockets. */
export interface SocketPool {
  readonly agent: http.Agent;
  /** Closes the sockets that are idle now. */
  closeIdle(): void;
  /** Closes them, and from now on every other one as it becomes idle. */
  close(): void;
}

export function makeSocketPool(protocol: string, options: SocketOptions): SocketPool {
  const settings = {
    keepAlive: options.keepalive,
    maxFreeSockets: options.keepalivePool,
    // Idle ones close after this; a request sets its own when it takes the socket.
    timeout: options.keepaliveTimeoutMs,
    scheduling: 'lifo',
  } as const;
  const agent =
    protocol === 'https:'
      ? new https.Agent({ ...settings, rejectUnauthorized: options.verifyCertificate })
      : new http.Agent(settings);
  // One instance is one origin, so every socket fits every request, and Node need not spell that out each time.
  agent.getName = () => protocol;

  function closeIdle(): void {
    for (const sockets of Object.values(agent.freeSockets))
      for (const socket of sockets ?? []) socket.destroy();
  }
  return {
    agent,
    closeIdle,
    close() {
      agent.keepSocketAlive = () => false;
      closeIdle();
    },
  };
}
