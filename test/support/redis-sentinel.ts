import { type RedisServer, startRedis, until } from './redis.ts';

export interface WatchedRedis {
  readonly master: RedisServer;
  readonly replica: RedisServer;
  readonly sentinel: RedisServer;
  /** What the sentinel calls the master. */
  readonly name: string;
}

export interface WatchedRedisOptions {
  readonly password?: string;
  readonly sentinelPassword?: string;
  /** After how long without an answer the replica takes over. Default: longer than any test. */
  readonly downAfterMs?: number;
}

const NAME = 'counters';
const NEVER_MS = 600_000;

function sentinelConfig({ host, port }: RedisServer, options: WatchedRedisOptions): string[] {
  const { password, downAfterMs = NEVER_MS } = options;
  const lines = [
    `sentinel monitor ${NAME} ${host} ${port} 1`,
    `sentinel down-after-milliseconds ${NAME} ${downAfterMs}`,
    // A failover that found no replica ready is tried again after twice this time.
    `sentinel failover-timeout ${NAME} 1000`,
  ];
  return password === undefined ? lines : [...lines, `sentinel auth-pass ${NAME} ${password}`];
}

/** A real master with a replica, watched by a real sentinel that knows both, killed when the test ends. */
export async function startWatchedRedis(options: WatchedRedisOptions = {}): Promise<WatchedRedis> {
  const { password, sentinelPassword } = options;
  const login = password === undefined ? {} : { password };
  // Redis waits 5 seconds for further replicas otherwise.
  const master = await startRedis({ ...login, config: ['repl-diskless-sync-delay 0'] });
  const replica = await startRedis({ ...login, config: [`replicaof ${master.host} ${master.port}`] });
  await until(async () => String(await master.call('INFO', 'replication')).includes('state=online'));
  const sentinel = await startRedis({
    sentinel: true,
    ...(sentinelPassword === undefined ? {} : { password: sentinelPassword }),
    config: sentinelConfig(master, options),
  });
  // It hears of the replica from the master, and of its link to the master from the replica itself.
  await until(async () => {
    const replicas = String(await sentinel.call('SENTINEL', 'REPLICAS', NAME));
    return replicas.includes('flags,slave,') && replicas.includes('master-link-status,ok');
  });
  return { master, replica, sentinel, name: NAME };
}
