import { describe, expect, it } from 'vitest';
import { parseCidr } from '../../lib/config/cidr.ts';
import { makeAddressList } from '../../lib/model-router/address-list.ts';

function listOf(entries: readonly string[]) {
  return makeAddressList(entries.flatMap((entry) => parseCidr(entry) ?? []));
}

describe('allowed_cidrs', () => {
  it.each([
    ['an address of a network', ['10.0.0.0/8'], '10.255.0.1', true],
    ['no address outside', ['10.0.0.0/8'], '11.0.0.1', false],
    ['an address of a network with bits past its prefix', ['10.1.2.3/8'], '10.9.9.9', true],
    ['the first of a small network', ['192.0.2.8/30'], '192.0.2.8', true],
    ['the last of a small network', ['192.0.2.8/30'], '192.0.2.11', true],
    ['not the one after it', ['192.0.2.8/30'], '192.0.2.12', false],
    ['a single address', ['192.0.2.8'], '192.0.2.8', true],
    ['no neighbour of a single address', ['192.0.2.8'], '192.0.2.9', false],
    ['a network of one address', ['192.0.2.8/32'], '192.0.2.8', true],
    ['all of IPv4', ['0.0.0.0/0'], '203.0.113.9', true],
    ['no IPv6 with all of IPv4', ['0.0.0.0/0'], '2001:db8::1', false],
    ['any of several networks', ['10.0.0.0/8', '192.0.2.0/24'], '192.0.2.200', true],
    ['an IPv6 address of a network', ['2001:db8::/32'], '2001:db8:1::1', true],
    ['no IPv6 address outside', ['2001:db8::/32'], '2001:db9::1', false],
    ['a single IPv6 address in another spelling', ['2001:db8::1'], '2001:0DB8:0:0::1', true],
    ['all of IPv6', ['::/0'], '2001:db8::1', true],
    ['no IPv4 with all of IPv6', ['::/0'], '203.0.113.9', false],
    ['no IPv4 inside IPv6 with all of IPv6', ['::/0'], '::ffff:203.0.113.9', false],
    ['IPv4 inside IPv6 as IPv4', ['10.0.0.0/8'], '::ffff:10.0.0.1', true],
    ['IPv4 inside IPv6 in hexadecimal digits', ['10.0.0.0/8'], '::FFFF:a00:1', true],
    ['IPv4 inside IPv6 written in full', ['10.0.0.1'], '0:0:0:0:0:ffff:10.0.0.1', true],
    ['no IPv4 inside IPv6 from outside', ['10.0.0.0/8'], '::ffff:11.0.0.1', false],
    ['no other IPv6 address that ends in IPv4', ['10.0.0.0/8'], '64:ff9b::10.0.0.1', false],
    ['IPv4 by a network of IPv4 inside IPv6', ['::ffff:10.0.0.0/104'], '10.0.0.1', true],
    ['no other IPv4 by a network of IPv4 inside IPv6', ['::ffff:10.0.0.0/104'], '11.0.0.1', false],
    ['all of IPv4 by its network inside IPv6', ['::ffff:0:0/96'], '203.0.113.9', true],
    ['IPv6 by a network wider than that', ['::ffff:0:0/64'], '::1', true],
    ['no IPv4 by a network wider than that', ['::ffff:0:0/64'], '203.0.113.9', false],
    ['a link-local address whatever its zone', ['fe80::/10'], 'fe80::1%eth0', true],
    ['no other address by its zone', ['fe80::/10'], '2001:db8::1%fe80::1', false],
    ['nobody', [], '127.0.0.1', false],
  ])('lets in %s: %j, %j', (_title, entries, address, expected) => {
    expect(listOf(entries).includes(address)).toBe(expected);
  });

  it.each([
    '',
    'unknown',
    '10.0.0',
    '010.0.0.1',
    '10.0.0.1:443',
    '[::1]',
    '10.0.0.1, 1.2.3.4',
    '%',
    '%10.0.0.1',
  ])('lets in nobody whose address is %j, not even where all may come in', (address) => {
    expect(listOf(['0.0.0.0/0', '::/0']).includes(address)).toBe(false);
  });
});
