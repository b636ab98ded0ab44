import { createHash } from 'node:crypto';
import type { LoadedSharedStore } from '../config/loaded-rate-limiting.ts';
import { SecretStore } from '../config/references.ts';
import type { ResolvedHost } from '../resolve-host.ts';
import { RedisConnection, type RedisConnectionOptions } from './connect-redis.ts';
import type { SharedCounterStore } from './counter-store.ts';
import { type Ioredis, loadIoredis } from './load-ioredis.ts';
import { redisAddress } from './redis-address.ts';
import { makeRedisClient, type RedisPasswords } from './redis-client.ts';
import { openRedisStore } from './redis-store.ts';
import { redisTimes } from './redis-times.ts';

/** Who a store reports to, and who knows the secrets in its settings. */
export type Surroundings = Pick<ResolvedHost, 'logger' | 'secret'>;

interface SharedStore {
  readonly digest: string;
  readonly surroundings: Surroundings;
  readonly store: SharedCounterStore;
  users: number;
}

/** Ten thousand consumers may each have a limiter with the same Redis in it: they have one connection between them. */
const sharedStores = new Set<SharedStore>();

async function passwordsOf(settings: LoadedSharedStore, secrets: SecretStore): Promise<RedisPasswords> {
  const sentinelPassword = settings.policy === 'redis-sentinel' ? settings.sentinelPassword : undefined;
  return {
    password: await secrets.fill(settings.password ?? ''),
    sentinelPassword: await secrets.fill(sentinelPassword ?? ''),
  };
}

function clientOpener(
  ioredis: Ioredis,
  settings: LoadedSharedStore,
  { secret }: Surroundings,
): RedisConnectionOptions['open'] {
  let answers = new SecretStore(secret);
  return async (wasRefused) => {
    // Answers are remembered for minutes, which is too long when somebody has just changed the password.
    if (wasRefused) answers = new SecretStore(secret);
    const passwords = await passwordsOf(settings, answers);
    const secrets = [passwords.password, passwords.sentinelPassword]
      .filter((password) => password !== '')
      .sort((one, other) => other.length - one.length);
    return { client: makeRedisClient(ioredis, settings, passwords), secrets };
  };
}

function connect(settings: LoadedSharedStore, surroundings: Surroundings): SharedCounterStore {
  const connection = new RedisConnection({
    address: redisAddress(settings),
    times: redisTimes(settings),
    wantsMaster: settings.policy !== 'redis-sentinel' || settings.role === 'master',
    open: clientOpener(loadIoredis(), settings, surroundings),
    logger: surroundings.logger,
  });
  return openRedisStore(connection);
}

function findShared(digest: string, { logger, secret }: Surroundings): SharedStore | undefined {
  for (const shared of sharedStores) {
    const { surroundings } = shared;
    if (shared.digest === digest && surroundings.logger === logger && surroundings.secret === secret) {
      return shared;
    }
  }
  return undefined;
}

function openShared(settings: LoadedSharedStore, surroundings: Surroundings): SharedStore {
  // A digest, because the settings hold a password.
  const digest = createHash('sha256').update(JSON.stringify(settings)).digest('hex');
  const found = findShared(digest, surroundings);
  if (found !== undefined) return found;
  const opened = { digest, surroundings, store: connect(settings, surroundings), users: 0 };
  sharedStores.add(opened);
  return opened;
}

async function leave(shared: SharedStore): Promise<void> {
  shared.users -= 1;
  if (shared.users > 0) return;
  sharedStores.delete(shared);
  await shared.store.close();
}

/**
 * The store for these settings. Stores share a connection, which is made at
 * once and in the background, wherever settings, logger and `secret` are the same; it ends with the last `close()`,
 * after what is under way then.
 */
export function openStore(settings: LoadedSharedStore, surroundings: Surroundings): SharedCounterStore {
  const shared = openShared(settings, surroundings);
  shared.users += 1;
  let left: Promise<void> | undefined;
  return {
    read: (keys) => shared.store.read(keys),
    add: (charges) => shared.store.add(charges),
    close() {
      left ??= leave(shared);
      return left;
    },
  };
}
