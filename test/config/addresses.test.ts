import { describe, expect, it } from 'vitest';
import { nodeAddress, nodeEndpoint } from '../../lib/config/node-endpoint.ts';
import { parseRedisAddress } from '../../lib/config/redis-address.ts';

describe('parseRedisAddress', () => {
  it.each([
    ['redis', { host: 'redis', port: 6379 }],
    ['10.0.0.1:7000', { host: '10.0.0.1', port: 7000 }],
    ['redis_1.example.com:65535', { host: 'redis_1.example.com', port: 65535 }],
    ['[::1]', { host: '::1', port: 6379 }],
    ['[fe80::1]:7', { host: 'fe80::1', port: 7 }],
  ])('%s is %j', (text, address) => {
    expect(parseRedisAddress(text)).toEqual(address);
  });

  it.each([
    '',
    ':1',
    'a:',
    'a:0',
    'a:65536',
    'a:x',
    '::1',
    '[::1',
    'a b',
    'redis://a',
    'u:p@a',
    'a/b',
    'a:1:2',
  ])('"%s" is none', (text) => {
    expect(parseRedisAddress(text)).toBeUndefined();
  });
});

describe('nodeEndpoint', () => {
  it.each([
    ['http', '127.0.0.1:8000', 'http://127.0.0.1:8000'],
    ['https', 'api.openai.com', 'https://api.openai.com'],
    ['http', '[::1]:8000', 'http://[::1]:8000'],
  ] as const)('%s and %s make %s', (scheme, address, endpoint) => {
    expect(nodeEndpoint(scheme, address)).toBe(endpoint);
  });

  it.each(['', ':80', 'a:', 'a:65536', 'a/b', 'u@a', 'u:p@a', 'http://a', 'a?b', 'a#b', '::1', 'a b'])(
    '"%s" is no address',
    (address) => {
      expect(nodeEndpoint('http', address)).toBeUndefined();
    },
  );
});

describe('nodeAddress', () => {
  it.each([
    ['a', undefined, 'a'],
    ['a', 8000, 'a:8000'],
    ['::1', 8000, '[::1]:8000'],
    ['[::1]', undefined, '[::1]'],
  ])('%s and %s make %s', (host, port, address) => {
    expect(nodeAddress(host, port)).toBe(address);
  });
});
