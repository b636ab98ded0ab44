import { describe, expect, it } from 'vitest';
import { type Network, parseCidr } from '../../lib/config/cidr.ts';

describe('a network', () => {
  it.each([
    '',
    'localhost',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/8.0',
    '10.0.0.0/0x8',
    '10.0.0.0/ 8',
    '10.0.0.0/8/8',
    '10.0.0.0/255.0.0.0',
    '::/129',
    'fe80::1%eth0',
  ])('does not take %j for a network', (text) => {
    expect(parseCidr(text)).toBeUndefined();
  });

  it.each<[text: string, network: Network]>([
    ['10.0.0.0/8', { family: 'ipv4', address: '10.0.0.0', prefix: 8 }],
    ['10.0.0.1', { family: 'ipv4', address: '10.0.0.1', prefix: 32 }],
    ['0.0.0.0/0', { family: 'ipv4', address: '0.0.0.0', prefix: 0 }],
    ['::1', { family: 'ipv6', address: '::1', prefix: 128 }],
    ['2001:db8::/32', { family: 'ipv6', address: '2001:db8::', prefix: 32 }],
  ])('takes %j', (text, network) => {
    expect(parseCidr(text)).toEqual(network);
  });
});
