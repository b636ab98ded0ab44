import type {
  DefaultedAiRateLimitingConfig,
  DefaultedRedisClusterPolicy,
  DefaultedRedisPolicy,
  DefaultedRedisSentinelPolicy,
} from './generated/ai-rate-limiting-defaulted.ts';
import type {
  LoadedRedisClusterSettings,
  LoadedRedisSentinelSettings,
  LoadedRedisSettings,
  LoadedStore,
} from './loaded-rate-limiting.ts';
import { parseRedisAddress } from './redis-address.ts';
import { policies } from './schemas.ts';

function redis(config: DefaultedRedisPolicy): LoadedRedisSettings {
  return {
    policy: 'redis',
    host: config.redis_host,
    port: config.redis_port,
    ...(config.redis_username && { username: config.redis_username }),
    ...(config.redis_password && { password: config.redis_password }),
    database: config.redis_database,
    timeout: config.redis_timeout,
    ssl: config.redis_ssl,
    sslVerify: config.redis_ssl_verify,
  };
}

function redisCluster(config: DefaultedRedisClusterPolicy): LoadedRedisClusterSettings {
  return {
    policy: 'redis-cluster',
    nodes: config.redis_cluster_nodes.flatMap((node) => parseRedisAddress(node) ?? []),
    name: config.redis_cluster_name,
    ...(config.redis_password && { password: config.redis_password }),
    timeout: config.redis_timeout,
    ssl: config.redis_cluster_ssl,
    sslVerify: config.redis_cluster_ssl_verify,
  };
}

function redisSentinel(config: DefaultedRedisSentinelPolicy): LoadedRedisSentinelSettings {
  return {
    policy: 'redis-sentinel',
    sentinels: config.redis_sentinels.map(({ host, port }) => ({ host, port })),
    masterName: config.redis_master_name,
    role: config.redis_role,
    ...(config.redis_username && { username: config.redis_username }),
    ...(config.redis_password && { password: config.redis_password }),
    ...(config.sentinel_username && { sentinelUsername: config.sentinel_username }),
    ...(config.sentinel_password && { sentinelPassword: config.sentinel_password }),
    database: config.redis_database,
    connectTimeout: config.redis_connect_timeout,
    readTimeout: config.redis_read_timeout,
  };
}

/** Where a validated configuration keeps its counters. An empty password is none. */
export function completeStore(config: DefaultedAiRateLimitingConfig): LoadedStore {
  switch (config.policy) {
    case 'local':
      return { policy: 'local' };
    case 'redis':
      return redis(policies.redis(config));
    case 'redis-cluster':
      return redisCluster(policies.redisCluster(config));
    case 'redis-sentinel':
      return redisSentinel(policies.redisSentinel(config));
  }
}
