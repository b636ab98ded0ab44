import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { OwnedLimiter } from '../../lib/ai-rate-limiting/limiter.ts';
import { loadConsumers } from '../../lib/config/load-consumers.ts';
import type { LoadedConsumer } from '../../lib/config/loaded-key-auth.ts';
import { makeConsumer } from '../../lib/key-auth/consumer.ts';
import { type ConsumerRegistry, registerConsumers } from '../../lib/key-auth/consumer-registry.ts';
import { digestOf, makeKeyIndex } from '../../lib/key-auth/key-index.ts';
import { resolveHost } from '../../lib/resolve-host.ts';

const host = resolveHost({ logger: { debug() {}, info() {}, warn() {}, error() {} } });

function load(consumers: unknown): readonly LoadedConsumer[] {
  return loadConsumers(consumers, host.logger, { hasSecretResolver: false });
}

const local = { limit: 10, time_window: 60 };
const shared = { ...local, policy: 'redis', redis_host: '127.0.0.1' };

function consumer(username: string, limits?: object) {
  return {
    username,
    plugins: { 'key-auth': { key: `key-${username}` }, ...(limits && { 'ai-rate-limiting': limits }) },
  };
}

/** What takes the place of limiters here: it only counts them. */
function countLimiters() {
  const made: string[] = [];
  const closed: string[] = [];
  const make = (_config: unknown, scope: string): OwnedLimiter => {
    made.push(scope);
    return {
      hasBeenAsked: false,
      hold() {},
      open: () => undefined,
      async close() {
        closed.push(scope);
      },
    };
  };
  return { make, made, closed };
}

/** Its number must not decide how long anybody waits; one by one, the last of them would. */
function registerMany(count: number): { registry: ConsumerRegistry; made: readonly string[] } {
  const consumers = Array.from({ length: count }, (_, index) => consumer(`user-${index}`, local));
  const { make, made } = countLimiters();
  return { registry: registerConsumers(load(consumers), make, host), made };
}

describe('ten thousand consumers', () => {
  it('are each found by their own key, and by their name', () => {
    const { registry } = registerMany(10_000);
    for (const index of [0, 1, 4999, 9999]) {
      expect(registry.find(`key-user-${index}`)).toMatchObject({ username: `user-${index}` });
      expect(registry.named(`user-${index}`)).toBe(registry.find(`key-user-${index}`));
    }
    expect(registry.find('key-user-10000')).toBeUndefined();
    expect(registry.named('user-10000')).toBeUndefined();
  });

  it('have no limiter as long as they are asleep', () => {
    const { registry, made } = registerMany(10_000);
    for (const username of ['user-1', 'user-2', 'user-1']) registry.named(username)?.limiter();
    expect(made).toEqual(['consumer:user-1', 'consumer:user-2']);
  });
});

describe('an index of keys', () => {
  it('forgets a key only for whom it belongs to', () => {
    const index = makeKeyIndex<object>();
    const [one, other] = [{}, {}];
    const digest = digestOf('key');
    index.set(digest, one);
    index.remove(digest, other);
    expect(index.find(digestOf('key'))).toBe(one);
    index.remove(digest, one);
    expect(index.find(digest)).toBeUndefined();
  });

  it('holds digests of the same length for all keys, and not the same as anybody else would compute', () => {
    expect(digestOf('k')).toHaveLength(digestOf('k'.repeat(4000)).length);
    expect(digestOf('k')).not.toEqual(createHash('sha256').update('k').digest());
  });
});

describe("a consumer's limiter", () => {
  it('is there from the first request on and stays the same', () => {
    const { make, made } = countLimiters();
    for (const loaded of load([consumer('a', local)])) {
      const { limiter } = makeConsumer(loaded, make);
      expect(made).toEqual([]);
      expect(limiter()).toBe(limiter());
      expect(made).toEqual(['consumer:a']);
    }
    expect.assertions(3);
  });

  it('is there at once where its counters are shared, since that can fail', () => {
    const { make, made } = countLimiters();
    registerConsumers(load([consumer('a', shared), consumer('b', local)]), make, host);
    expect(made).toEqual(['consumer:a']);
    const fail = (): never => {
      throw new Error('no store');
    };
    expect(() => registerConsumers(load([consumer('a', shared)]), fail, host)).toThrow('no store');
  });

  it('is none where the consumer has no limits', () => {
    const { make, made } = countLimiters();
    const registry = registerConsumers(load([consumer('a')]), make, host);
    expect(registry.named('a')?.limiter()).toBeUndefined();
    expect(made).toEqual([]);
  });

  it('closes with the registry, and where it is first used after that, at once', async () => {
    const { make, made, closed } = countLimiters();
    const registry = registerConsumers(load([consumer('a', local), consumer('b', local)]), make, host);
    registry.named('a')?.limiter();
    await registry.close();
    expect(closed).toEqual(['consumer:a']);
    expect(registry.named('b')?.limiter()).toBeDefined();
    expect(made).toEqual(['consumer:a', 'consumer:b']);
    expect(closed).toEqual(['consumer:a', 'consumer:b']);
  });
});
