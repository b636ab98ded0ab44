import { BlockList, isIP } from 'node:net';
import type { Network } from '../config/cidr.ts';

/** Addresses and networks, compiled. */
export interface AddressList {
  /** An IPv4 address inside an IPv6 one is that IPv4 address. False for whatever is no address. */
  includes(address: string): boolean;
}

/** RFC 4291 §2.5.5.2: `::ffff:a.b.c.d`, in whatever spelling. */
const MAPPED_PREFIX = 96;
const MAPPED = new BlockList();
MAPPED.addSubnet('::ffff:0:0', MAPPED_PREFIX, 'ipv6');

function isMapped({ address, family, prefix }: Network): boolean {
  return family === 'ipv6' && prefix >= MAPPED_PREFIX && MAPPED.check(address, 'ipv6');
}

/** Compiles an allow-list. Bits past the prefix of a network say nothing. */
export function makeAddressList(networks: readonly Network[]): AddressList {
  // One for each family: BlockList finds IPv4 addresses in `::/0` as well, which is to say all IPv6 addresses.
  const ipv4 = new BlockList();
  const ipv6 = new BlockList();
  for (const network of networks) {
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
