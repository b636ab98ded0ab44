import http from 'node:http';
import https from 'node:https';
import { isIP, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { rootCertificates } from 'node:tls';
import type { AddressBook } from '../health/instance-health-source.ts';

export interface SocketOptions {
  readonly keepalive: boolean;
  readonly keepaliveTimeoutMs: number;
  /** Idle sockets kept, not open ones: streams never queue behind each other. */
  readonly keepalivePool: number;
  readonly verifyCertificate: boolean;
  /** A further authority beside those that Node trusts, in PEM form; `undefined` for none. */
  readonly caCertificate: string | undefined;
  /** Where to connect to; `undefined` asks the system. */
  readonly addresses: AddressBook | undefined;
}

/** Who a socket is lent to while it is not idle. */
export interface SocketUser {
  /** `Infinity` for no bound. */
  readonly silenceMs: number;
  /** The socket has been silent for that long. */
  onSilence(): void;
  /** The answer's `keep-alive` header: how long the other side keeps an idle socket. */
  readonly keepAliveHint: string | undefined;
}

/** One instance's sockets. */
export interface SocketPool {
  readonly agent: http.Agent;
  /** From now until it is idle, the silence of this socket is the user's business. */
  lend(socket: Socket, user: SocketUser): void;
  /** Closes the sockets that are idle now. */
  closeIdle(): void;
  /** Closes them, and from now on every other one as it becomes idle. */
  close(): void;
}

/** An idle socket is given up this long before the other side is expected to close it. */
const HINT_MARGIN_MS = 1000;

/** Idle time before the kernel probes whether the other side is still there; Node's default. */
const TCP_KEEPALIVE_MS = 1000;

/** The seconds of `keep-alive: timeout=5` (RFC 2068 §19.7.1.1) in milliseconds, less the margin. */
function hintedIdleMs(hint: string | undefined): number {
  const seconds = hint === undefined ? undefined : /timeout=(\d+)/i.exec(hint)?.[1];
  return seconds === undefined ? Number.POSITIVE_INFINITY : Number(seconds) * 1000 - HINT_MARGIN_MS;
}

/** On the socket itself: a `WeakMap` that changes with every request is dear to the garbage collector. */
const USER = Symbol('user');

type LentSocket = Duplex & { [USER]?: SocketUser | undefined };

function wasLent(socket: LentSocket): boolean {
  return USER in socket;
}

function userOf(socket: LentSocket): SocketUser | undefined {
  return socket[USER];
}

function lendTo(socket: LentSocket, user: SocketUser | undefined): void {
  socket[USER] = user;
}

/** Of a socket, where 0 stands for none. */
export function socketTimeout(silenceMs: number): number {
  return silenceMs === Number.POSITIVE_INFINITY ? 0 : silenceMs;
}

function httpsAgent(settings: http.AgentOptions, options: SocketOptions): https.Agent {
  const { verifyCertificate, caCertificate } = options;
  const ca = caCertificate === undefined ? {} : { ca: [...rootCertificates, caCertificate] };
  return new https.Agent({ ...settings, ...ca, rejectUnauthorized: verifyCertificate });
}

/** @param hostname without the brackets of an IPv6 address */
export function makeSocketPool(protocol: string, hostname: string, options: SocketOptions): SocketPool {
  const { addresses } = options;
  const settings = {
    keepAlive: options.keepalive,
    maxFreeSockets: options.keepalivePool,
    // Said once, lest Node derive it from the headers of every request. An address has no name (RFC 6066 §3).
    servername: isIP(hostname) === 0 ? hostname : '',
    ...(addresses === undefined ? {} : { lookup: addresses.lookup }),
  } as const;
  const agent = protocol === 'https:' ? httpsAgent(settings, options) : new http.Agent(settings);
  // One instance is one origin, so every socket fits every request, and Node need not spell that out each time.
  agent.getName = () => protocol;

  // One listener and one timer per socket serve all its requests: Node's own way adds and removes them each time.
  let closed = false;

  agent.keepSocketAlive = (socket) => {
    const idleMs = Math.min(options.keepaliveTimeoutMs, hintedIdleMs(userOf(socket)?.keepAliveHint));
    if (closed || idleMs <= 0 || !(socket instanceof Socket)) return false;
    if (addresses?.isUsable(socket.remoteAddress) === false) return false;
    lendTo(socket, undefined);
    socket.setTimeout(idleMs);
    socket.setKeepAlive(true, TCP_KEEPALIVE_MS);
    // An idle socket must not keep the process alive.
    socket.unref();
    return true;
  };

  function idleSockets(): readonly Socket[] {
    return Object.values(agent.freeSockets).flatMap((sockets) => sockets ?? []);
  }

  function closeIdle(): void {
    for (const socket of idleSockets()) socket.destroy();
  }

  const stopListening = addresses?.onDown((address) => {
    for (const socket of idleSockets()) if (socket.remoteAddress === address) socket.destroy();
  });

  return {
    agent,
    lend(socket, user) {
      if (!wasLent(socket)) {
        socket.on('timeout', () => {
          const current = userOf(socket);
          if (current === undefined) socket.destroy();
          else current.onSilence();
        });
      }
      lendTo(socket, user);
      socket.setTimeout(socketTimeout(user.silenceMs));
    },
    closeIdle,
    close() {
      closed = true;
      stopListening?.();
      closeIdle();
    },
  };
}
