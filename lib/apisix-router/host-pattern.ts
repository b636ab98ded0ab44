import type { RequestTarget } from './request-target.ts';

/** A host of a route, compiled. */
export interface HostPattern {
  /** 0 for a whole name, 1 for one that begins with `*`, 2 for any host at all. */
  readonly rank: number;
  readonly length: number;
  takes(target: RequestTarget): boolean;
}

export const ANY_HOST: HostPattern = { rank: 2, length: 0, takes: () => true };

/** @param host in lower case; one with a port takes that port alone */
export function compileHost(host: string): HostPattern {
  const { length } = host;
  if (host.startsWith('*')) {
    const end = host.slice(1);
    return { rank: 1, length, takes: ({ hosts }) => hosts.some((name) => name.endsWith(end)) };
  }
  return { rank: 0, length, takes: ({ hosts }) => hosts.includes(host) };
}
