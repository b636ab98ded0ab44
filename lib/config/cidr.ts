import { isIP } from 'node:net';

/** The addresses that begin with the same bits as `address`. */
export interface Network {
  readonly address: string;
  readonly family: 'ipv4' | 'ipv6';
  /** How many bits that is. */
  readonly prefix: number;
}

function parsePrefix(text: string, longest: number): number | undefined {
  // An empty prefix would be 0: everybody.
  return /^\d{1,3}$/.test(text) && Number(text) <= longest ? Number(text) : undefined;
}

/**
 * Reads a network such as `10.0.0.0/8` or `fd00::/8` (RFC 4632 §3.1, RFC 4291 §2.3); an address alone is the network
 * of that one address. `undefined` for anything else.
 */
export function parseCidr(text: string): Network | undefined {
  const slash = text.indexOf('/');
  const address = slash === -1 ? text : text.slice(0, slash);
  // A zone, as in fe80::1%eth0, is something of one machine.
  const version = address.includes('%') ? 0 : isIP(address);
  if (version === 0) return undefined;
  const longest = version === 4 ? 32 : 128;
  const prefix = slash === -1 ? longest : parsePrefix(text.slice(slash + 1), longest);
  return prefix === undefined ? undefined : { address, family: version === 4 ? 'ipv4' : 'ipv6', prefix };
}
