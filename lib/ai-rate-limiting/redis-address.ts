import { isIPv6 } from 'node:net';
import type { LoadedSharedStore } from '../config/loaded-rate-limiting.ts';

interface Address {
  readonly host: string;
  readonly port: number;
}

function one({ host, port }: Address): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Where a shared store is, for messages and logs. */
export function redisAddress(settings: LoadedSharedStore): string {
  switch (settings.policy) {
    case 'redis':
      return one(settings);
    case 'redis-cluster':
      return `${settings.name} (${settings.nodes.map(one).join(', ')})`;
    case 'redis-sentinel':
      return `${settings.masterName} (sentinels ${settings.sentinels.map(one).join(', ')})`;
  }
}
