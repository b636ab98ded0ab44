import { isIP } from 'node:net';

const LONGEST_PREFIX: ReadonlyMap<number, number> = new Map([
  [4, 32],
  [6, 128],
]);

/**
 * A network such as `10.0.0.0/8` or `fd00::/8`; an address alone becomes the network of that one address.
 * `undefined` for anything else.
 */
export function parseCidr(text: string): string | undefined {
  const [address = '', prefix, ...rest] = text.split('/');
  const longest = LONGEST_PREFIX.get(isIP(address));
  // A zone, as in fe80::1%eth0, is something of one machine.
  if (longest === undefined || rest.length > 0 || address.includes('%')) return undefined;
  if (prefix === undefined) return `${address}/${longest}`;
  return /^\d{1,3}$/.test(prefix) && Number(prefix) <= longest ? `${address}/${Number(prefix)}` : undefined;
}
