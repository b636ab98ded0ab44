import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { loadConsumers } from '../../lib/config/load-consumers.ts';
import type { LoadedConsumer } from '../../lib/config/loaded-key-auth.ts';
import { errorOf, faultsOf, pathsOf, recordWarnings, warningsOf } from './loading.ts';

beforeEach(() => {
  vi.stubEnv('JANES_KEY', 'jane-from-environment');
  vi.stubEnv('EMPTY_KEY', '');
});
afterEach(() => vi.unstubAllEnvs());

function load(config: unknown): readonly LoadedConsumer[] {
  return loadConsumers(config, recordWarnings(), { hasSecretResolver: true });
}

const keyOf = (key: unknown, meta?: object) => ({ 'key-auth': { key, ...meta } });
const limits = { limit: 1, time_window: 60 };

describe('what consumers are loaded into', () => {
  it('has the keys of the consumer and of its credentials, each once', () => {
    const written = [
      {
        username: 'jane_1-a',
        plugins: keyOf('$env://JANES_KEY'),
        credentials: [
          { id: 'one', name: 'first', plugins: keyOf('second key') },
          { plugins: keyOf('$secret://vault/jane') },
          { plugins: keyOf('second key') },
          { id: 4 },
        ],
      },
      { username: 'john' },
    ];
    expect(load(written)).toEqual([
      { username: 'jane_1-a', keys: ['jane-from-environment', 'second key', '$secret://vault/jane'] },
      { username: 'john', keys: [] },
    ]);
  });

  it('has the limits of the consumer', () => {
    const [consumer] = load([{ username: 'jane', plugins: { 'ai-rate-limiting': limits } }]);
    expect(consumer?.rateLimiting?.global).toEqual({ limit: 1, timeWindow: 60 });
  });

  it('does without what is for people, and without what the Admin API adds', () => {
    const extras = {
      id: 'jane',
      desc: 'd',
      labels: { team: 'a' },
      create_time: 1,
      update_time: 2,
    };
    expect(
      load([{ username: 'jane', ...extras, credentials: [{ ...extras, plugins: keyOf('k') }] }]),
    ).toEqual([{ username: 'jane', keys: ['k'] }]);
  });

  it('is without plugins that are switched off, whatever is in them', () => {
    const off = { _meta: { disable: true } };
    const written = [
      {
        username: 'jane',
        plugins: { 'key-auth': off, 'ai-rate-limiting': { ...off, limit: 0 }, 'jwt-auth': off },
        credentials: [{ plugins: keyOf('k', off) }, { plugins: keyOf('on', { _meta: { disable: false } }) }],
      },
    ];
    expect(load(written)).toEqual([{ username: 'jane', keys: ['on'] }]);
  });

  it('is frozen throughout, while the input stays as it was', () => {
    const written = [
      { username: 'jane', plugins: { ...keyOf('$env://JANES_KEY'), 'ai-rate-limiting': limits } },
    ];
    const before = structuredClone(written);
    const [jane] = load(written);
    expect(written).toEqual(before);
    expect(Object.isFrozen(jane?.keys)).toBe(true);
    expect(Object.isFrozen(jane?.rateLimiting?.global)).toBe(true);
  });
});

describe('the faults of consumers', () => {
  const faults = (config: unknown) => faultsOf(config, loadConsumers);

  it.each([
    ['no username', [{}], 'consumers[0].username', expect.stringContaining('is missing')],
    [
      'an illegal username',
      [{ username: 'a b' }],
      'consumers[0].username',
      expect.stringContaining('is "a b"'),
    ],
    ['a long username', [{ username: 'a'.repeat(257) }], 'consumers[0].username', expect.any(String)],
    [
      'a username twice',
      [{ username: 'a' }, { username: 'b' }, { username: 'a' }],
      'consumers[2].username',
      'is "a", must differ from consumers[0].username',
    ],
    [
      'an unknown plugin',
      [{ username: 'a', plugins: { 'jwt-auth': {} } }],
      'consumers[0].plugins["jwt-auth"]',
      'is not allowed; the only plugins here are "key-auth" and "ai-rate-limiting"',
    ],
    [
      'a misspelt plugin',
      [{ username: 'a', plugins: { key_auth: {} } }],
      'consumers[0].plugins.key_auth',
      expect.stringContaining('did you mean "key-auth"?'),
    ],
    [
      'limits in a credential',
      [{ username: 'a', credentials: [{ plugins: { 'ai-rate-limiting': limits } }] }],
      'consumers[0].credentials[0].plugins["ai-rate-limiting"]',
      'is not allowed; the only plugins here are "key-auth"',
    ],
    [
      'an unknown field',
      [{ username: 'a', plugin: {} }],
      'consumers[0].plugin',
      expect.stringContaining('did you mean "plugins"?'),
    ],
    [
      'an empty key',
      [{ username: 'a', plugins: keyOf('') }],
      'consumers[0].plugins["key-auth"].key',
      'must be a string that is not empty',
    ],
    [
      'a key from an empty variable',
      [{ username: 'a', plugins: keyOf('$env://EMPTY_KEY') }],
      'consumers[0].plugins["key-auth"].key',
      'must be a string that is not empty',
    ],
    [
      'a key from a variable that is not set',
      [{ username: 'a', credentials: [{ plugins: keyOf('$env://NOT_THERE') }] }],
      'consumers[0].credentials[0].plugins["key-auth"].key',
      'the environment variable NOT_THERE is not set',
    ],
    [
      'no key',
      [{ username: 'a', plugins: { 'key-auth': {} } }],
      'consumers[0].plugins["key-auth"].key',
      'is missing, must be a string that is not empty',
    ],
    [
      'conditions on a plugin',
      [{ username: 'a', plugins: { 'ai-rate-limiting': { ...limits, _meta: { filter: [] } } } }],
      'consumers[0].plugins["ai-rate-limiting"]._meta.filter',
      expect.stringContaining('is not supported'),
    ],
    [
      'limits that are none',
      [{ username: 'b' }, { username: 'a', plugins: { 'ai-rate-limiting': { limit: 0, time_window: 1 } } }],
      'consumers[1].plugins["ai-rate-limiting"].limit',
      'is 0, must be an integer of at least 1, or a string',
    ],
    ['something else', [5], 'consumers[0]', 'must be an object'],
    ['no array', { jane: {} }, 'consumers', 'must be an array, each item a consumer'],
    ['nothing', undefined, 'consumers', 'must be an array, each item a consumer'],
    ['a BigInt', [{ username: 1n }], 'consumers[0].username', 'is a BigInt, which JSON does not have'],
  ])('are, of %s, at the place', (_what, config, path, message) => {
    expect(faults(config)).toEqual([{ path, message }]);
  });

  it('are told of all consumers at once', () => {
    const config = [
      { username: 'a b', plugins: { 'ai-rate-limiting': {} } },
      { username: 'c', plugins: { 'key-auth': {}, other: {} } },
      7,
      { username: 'c' },
    ];
    expect(pathsOf(config, loadConsumers)).toEqual([
      'consumers[0].username',
      'consumers[0].plugins["ai-rate-limiting"]',
      'consumers[1].plugins.other',
      'consumers[1].plugins["key-auth"].key',
      'consumers[2]',
      'consumers[3].username',
    ]);
  });

  it.each([
    ['written down twice', keyOf('same'), keyOf('same')],
    ['once from the environment', keyOf('jane-from-environment'), keyOf('$env://JANES_KEY')],
    ['as the same reference', keyOf('$secret://vault/a'), keyOf('$secret://vault/a')],
  ])('name both consumers of a key, %s', (_how, one, other) => {
    const config = [
      { username: 'jane', plugins: one },
      { username: 'jim', plugins: keyOf('another') },
      { username: 'john', credentials: [{ plugins: other }] },
    ];
    expect(faults(config)).toEqual([
      {
        path: 'consumers[2].credentials[0].plugins["key-auth"].key',
        message: 'is a key of "jane" and of "john", must be one consumer\'s alone',
      },
    ]);
  });

  it('are the lack of a host.secret', () => {
    const config = [{ username: 'a', plugins: keyOf('$secret://vault/a') }];
    expect(errorOf(config, loadConsumers, false).errors).toEqual([
      {
        path: 'consumers[0].plugins["key-auth"].key',
        message: 'refers to $secret://, but there is no host.secret to resolve it',
      },
    ]);
  });
});

describe('consumers warn', () => {
  it('of a group, and of slips in their limits', () => {
    const plugins = { 'ai-rate-limiting': { ...limits, reject_code: 429 } };
    expect(warningsOf([{ username: 'a', group_id: 'g', plugins }], loadConsumers)).toEqual([
      {
        path: 'consumers[0].plugins["ai-rate-limiting"].reject_code',
        message: 'unknown field "reject_code"; did you mean "rejected_code"?',
      },
      {
        path: 'consumers[0].group_id',
        message: 'does nothing: the plugins of a consumer group are not looked up',
      },
    ]);
  });
});
