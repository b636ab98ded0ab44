import type { Cluster, Redis, RedisOptions } from 'ioredis';
import type {
  LoadedRedisClusterSettings,
  LoadedRedisSentinelSettings,
  LoadedRedisSettings,
  LoadedSharedStore,
} from '../config/loaded-rate-limiting.ts';
import type { Ioredis } from './load-ioredis.ts';
import { redisTimes } from './redis-times.ts';

/** One that connects once: whether and when to try again is decided outside, in one way for all three policies. */
export type RedisClient = Redis | Cluster;

export function canSend(client: RedisClient): boolean {
  return client.status === 'ready' && (!('stream' in client) || client.stream.writable);
}

/** With their references resolved; '' for none. */
export interface RedisPasswords {
  readonly password: string;
  readonly sentinelPassword: string;
}

/** How long an end may take until the socket is destroyed: one to a Redis that hangs is never closed by it. */
const DISCONNECT_TIMEOUT_MS = 100;

/** Before the kernel looks whether the other side is still there: firewalls forget connections that say nothing. */
const KEEP_ALIVE_MS = 30_000;

function everyConnection(settings: LoadedSharedStore) {
  const { connectMs, answerMs } = redisTimes(settings);
  return {
    connectTimeout: connectMs,
    // A socket on which nothing is answered is destroyed with all that waits there, so that a Redis that hangs, or a
    // network that drops packets, does not gather commands.
    socketTimeout: answerMs,
    disconnectTimeout: DISCONNECT_TIMEOUT_MS,
    keepAlive: KEEP_ALIVE_MS,
    // Nothing here needs RESP3, and Redis before 6 as well as some proxies refuse to speak it.
    protocol: 2,
  } as const;
}

function singleConnection(settings: LoadedSharedStore) {
  return {
    ...everyConnection(settings),
    lazyConnect: true,
    retryStrategy: null,
    enableOfflineQueue: false,
  } as const satisfies RedisOptions;
}

/** A user without a password cannot log in, so the name alone is none. */
function login(username: string | undefined, password: string): Pick<RedisOptions, 'username' | 'password'> {
  if (password === '') return {};
  return username === undefined ? { password } : { username, password };
}

function encryption({ ssl, sslVerify }: LoadedRedisSettings | LoadedRedisClusterSettings) {
  return ssl ? { tls: { rejectUnauthorized: sslVerify } } : {};
}

/** An idle connection must not keep the process alive; one in use is waited for by its caller. */
function letGoOnceConnected(client: Redis): void {
  client.on('connect', () => {
    client.stream.unref();
  });
}

function toSingle({ Redis }: Ioredis, settings: LoadedRedisSettings, { password }: RedisPasswords): Redis {
  const client = new Redis({
    ...singleConnection(settings),
    host: settings.host,
    port: settings.port,
    db: settings.database,
    ...login(settings.username, password),
    ...encryption(settings),
  });
  letGoOnceConnected(client);
  return client;
}

function toSentinels(
  { Redis }: Ioredis,
  settings: LoadedRedisSentinelSettings,
  { password, sentinelPassword }: RedisPasswords,
): Redis {
  const { username: sentinelUsername, password: sentinelSecret } = login(
    settings.sentinelUsername,
    sentinelPassword,
  );
  const client = new Redis({
    ...singleConnection(settings),
    sentinels: [...settings.sentinels],
    sentinelRetryStrategy: () => null,
    sentinelCommandTimeout: redisTimes(settings).connectMs,
    sentinelUsername,
    sentinelPassword: sentinelSecret,
    name: settings.masterName,
    role: settings.role,
    db: settings.database,
    ...login(settings.username, password),
  });
  letGoOnceConnected(client);
  return client;
}

function toCluster(
  { Cluster }: Ioredis,
  settings: LoadedRedisClusterSettings,
  { password }: RedisPasswords,
): Cluster {
  const client = new Cluster([...settings.nodes], {
    lazyConnect: true,
    clusterRetryStrategy: null,
    slotsRefreshTimeout: redisTimes(settings).connectMs,
    // Names stay names: certificates are checked against them, and one that cannot be resolved costs one node
    // instead of all of them.
    dnsLookup: (address, callback) => callback(null, address),
    redisOptions: { ...everyConnection(settings), ...login(undefined, password), ...encryption(settings) },
  });
  client.on('+node', letGoOnceConnected);
  return client;
}

/** A client for these settings, not yet connected. */
export function makeRedisClient(
  ioredis: Ioredis,
  settings: LoadedSharedStore,
  passwords: RedisPasswords,
): RedisClient {
  switch (settings.policy) {
    case 'redis':
      return toSingle(ioredis, settings, passwords);
    case 'redis-sentinel':
      return toSentinels(ioredis, settings, passwords);
    case 'redis-cluster':
      return toCluster(ioredis, settings, passwords);
  }
}
