/** Where a Redis listens. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
}

const DEFAULT_PORT = 6379;

/** `host`, `host:port` or `[address]:port`, for an IPv6 address. */
const ADDRESS = /^(?:\[([\da-f:.]+)\]|([\w.-]+))(?::(\d{1,5}))?$/i;

/** `host:port`, or the host alone; `undefined` for anything else. */
export function parseRedisAddress(text: string): RedisAddress | undefined {
  const [, address, name, port = String(DEFAULT_PORT)] = ADDRESS.exec(text) ?? [];
  const host = address ?? name;
  if (host === undefined || Number(port) < 1 || Number(port) > 65535) return undefined;
  return { host, port: Number(port) };
}

/** Whether something is a host name or an address. A URL, or one with a password, is a common slip. */
export function isRedisHost(text: string): boolean {
  return /^[\w.:-]+$/.test(text);
}
