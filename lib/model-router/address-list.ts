import { BlockList, isIP } from 'node:net';

/** Addresses and networks, compiled. */
export interface AddressList {
  /** An IPv4 address inside an IPv6 one is that IPv4 address. False for whatever is no address. */
  includes(address: string): boolean;
}

interface Network {
  readonly address: string;
  readonly family: 'ipv4' | 'ipv6';
  readonly prefix: number;
}

/** RFC 4291 §2.5.5.2: `::ffff:a.b.c.d`, in whatever spelling. */
const MAPPED_PREFIX = 96;
const MAPPED = new BlockList();
MAPPED.addSubnet('::ffff:0:0', MAPPED_PREFIX, 'ipv6');

function parsePrefix(text: string, longest: number): number | undefined {
  // An empty prefix would be 0: everybody.
  return /^\d{1,3}$/.test(text) && Number(text) <= longest ? Number(text) : undefined;
}

function parseNetwork(text: string): Network | undefined {
  const slash = text.indexOf('/');
  const address = slash === -1 ? text : text.slice(0, slash);
  const version = address.includes('%') ? 0 : isIP(address);
  if (version === 0) return undefined;
  const longest = version === 4 ? 32 : 128;
  const prefix = slash === -1 ? longest : parsePrefix(text.slice(slash + 1), longest);
  return prefix === undefined ? undefined : { address, family: version === 4 ? 'ipv4' : 'ipv6', prefix };
}

function isMapped({ address, family, prefix }: Network): boolean {
  return family === 'ipv6' && prefix >= MAPPED_PREFIX && MAPPED.check(address, 'ipv6');
}

/** Whether this is an address, or a network such as `10.0.0.0/8`. */
export function isAddressOrNetwork(text: string): boolean {
  return parseNetwork(text) !== undefined;
}

/**
 * Compiles an allow-list of networks (RFC 4632 §3.1, RFC 4291 §2.3) and single addresses. Bits past the prefix say
 * nothing.
 *
 * @throws {RangeError} for an entry that is neither
 */
export function makeAddressList(entries: readonly string[]): AddressList {
  // One for each family: BlockList finds IPv4 addresses in `::/0` as well, which is to say all IPv6 addresses.
  const ipv4 = new BlockList();
  const ipv6 = new BlockList();
  for (const entry of entries) {
    const network = parseNetwork(entry);
    if (network === undefined) throw new RangeError(`${JSON.stringify(entry)} is no address and no network`);
    const list = network.family === 'ipv4' || isMapped(network) ? ipv4 : ipv6;
    list.addSubnet(network.address, network.prefix, network.family);
  }
  return {
    includes(given) {
      // The zone only says which of our own interfaces it came by (RFC 4007 §6).
      const zone = given.indexOf('%');
      const address = zone === -1 ? given : given.slice(0, zone);
      const version = isIP(address);
      if (version === 0) return false;
      if (version === 4) return ipv4.check(address, 'ipv4');
      return (MAPPED.check(address, 'ipv6') ? ipv4 : ipv6).check(address, 'ipv6');
    },
  };
}
