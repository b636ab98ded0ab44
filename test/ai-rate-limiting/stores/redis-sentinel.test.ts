import { expect, it } from 'vitest';
import type { LoadedRedisSentinelSettings } from '../../../lib/config/loaded-rate-limiting.ts';
import { describeWithRedis, freePort, startRedis, until } from '../../support/redis.ts';
import { startWatchedRedis, type WatchedRedis } from '../../support/redis-sentinel.ts';
import { failureOf, GENEROUS_MS, open, seen } from './opening.ts';

const CHARGE = [{ key: 'a', amount: 1, windowSeconds: 600 }];

function settingsFor(
  { sentinel, name }: Pick<WatchedRedis, 'sentinel' | 'name'>,
  changes: Partial<LoadedRedisSentinelSettings> = {},
): LoadedRedisSentinelSettings {
  return {
    policy: 'redis-sentinel',
    sentinels: [{ host: sentinel.host, port: sentinel.port }],
    masterName: name,
    role: 'master',
    database: 0,
    connectTimeout: GENEROUS_MS,
    readTimeout: GENEROUS_MS,
    ...changes,
  };
}

describeWithRedis('a store in a Redis that sentinels watch', () => {
  it('counts on the master', async () => {
    const watched = await startWatchedRedis();
    const { store } = open(settingsFor(watched, { database: 2 }));
    await store.add(CHARGE);
    expect((await store.read(['a']))[0]?.used).toBe(1);
    expect(await watched.master.call('INFO', 'keyspace')).toContain('db2:keys=1');
  });

  it('goes on counting on the replica that has taken over', async () => {
    const watched = await startWatchedRedis({ downAfterMs: 1000 });
    const { store, journal } = open(settingsFor(watched));
    await store.add(CHARGE);
    await until(async () => (await watched.replica.call('GET', 'a')) === '1');
    await watched.master.stop();
    await journal.until(/can be reached again/);
    await store.add(CHARGE);
    expect((await store.read(['a']))[0]?.used).toBe(2);
    expect(await watched.replica.call('GET', 'a')).toBe('2');
  });

  it('asks the next sentinel when one is gone', async () => {
    const watched = await startWatchedRedis();
    const dead = { host: '127.0.0.1', port: await freePort() };
    const { host, port } = watched.sentinel;
    const { store } = open(settingsFor(watched, { sentinels: [dead, { host, port }] }));
    await store.add(CHARGE);
    expect((await store.read(['a']))[0]?.used).toBe(1);
  });

  it('reads from a replica where the settings say so', async () => {
    const watched = await startWatchedRedis();
    await watched.master.call('SET', 'a', 5);
    await until(async () => (await watched.replica.call('GET', 'a')) === '5');
    const { store, journal } = open(settingsFor(watched, { role: 'slave' }));
    await expect(store.add(CHARGE)).rejects.toThrow('READONLY');
    expect((await store.read(['a']))[0]?.used).toBe(5);
    expect(journal.lines).toEqual([]);
  });

  it('fails when no sentinel answers, and works when one does again', async () => {
    const watched = await startWatchedRedis();
    await watched.sentinel.stop();
    const { store, journal } = open(settingsFor(watched));
    await expect(store.read(['a'])).rejects.toThrow('All sentinels are unreachable');
    await journal.until(/still cannot be reached/, 2);
    await watched.sentinel.restart();
    await journal.until(/can be reached again/);
    await store.add(CHARGE);
    expect((await store.read(['a']))[0]?.used).toBe(1);
  });

  it('fails when no sentinel knows the master', async () => {
    const watched = await startWatchedRedis();
    const { store } = open(settingsFor(watched, { masterName: 'unknown' }));
    await expect(store.read(['a'])).rejects.toThrow('unknown (sentinels 127.0.0.1:');
  });

  it('fails in time when the sentinel hangs', async () => {
    const sentinel = await startRedis();
    sentinel.pause();
    const settings = settingsFor({ sentinel, name: 'counters' }, { connectTimeout: 200, readTimeout: 200 });
    const { store } = open(settings);
    await expect(store.read(['a'])).rejects.toThrow();
    sentinel.resume();
  });

  it('logs in to the sentinel and to Redis with a password each, which nobody gets to see', async () => {
    const [password, sentinelPassword] = ['the-right-password', 'the-password-of-the-sentinel'];
    const watched = await startWatchedRedis({ password, sentinelPassword });
    const { store } = open(settingsFor(watched, { password, sentinelPassword }));
    await store.add(CHARGE);
    expect((await store.read(['a']))[0]?.used).toBe(1);

    const wrong = 'a-mistaken-password';
    for (const changes of [
      { password, sentinelPassword: wrong },
      { password: wrong, sentinelPassword },
    ]) {
      const { store, journal } = open(settingsFor(watched, changes));
      const failure = await failureOf(store.read(['a']));
      expect(failure.message).toMatch(/WRONGPASS|NOAUTH/);
      expect(seen(failure, journal.lines)).not.toContain(wrong);
    }
  });
});
