import { expect, it } from 'vitest';
import type { LoadedRedisClusterSettings } from '../../../lib/config/loaded-rate-limiting.ts';
import { describeWithRedis, freePort, until } from '../../support/redis.ts';
import { type RedisCluster, startRedisCluster } from '../../support/redis-cluster.ts';
import { failureOf, GENEROUS_MS, open, seen } from './opening.ts';

const KEYS = Array.from({ length: 30 }, (_, index) => `key-${index}`);

function settingsFor(
  nodes: readonly { host: string; port: number }[],
  changes: Partial<LoadedRedisClusterSettings> = {},
): LoadedRedisClusterSettings {
  const addresses = nodes.map(({ host, port }) => ({ host, port }));
  const defaults = { name: 'counters', timeout: GENEROUS_MS, ssl: false, sslVerify: true };
  return { policy: 'redis-cluster', nodes: addresses, ...defaults, ...changes };
}

function charges(amount: number) {
  return KEYS.map((key) => ({ key, amount, windowSeconds: 600 }));
}

async function keysPerNode({ nodes }: RedisCluster): Promise<unknown[]> {
  return Promise.all(nodes.map((node) => node.call('DBSIZE')));
}

describeWithRedis('a store in a Redis cluster', () => {
  it('counts exactly what two stores add, each key on the node that holds its slot', async () => {
    const cluster = await startRedisCluster();
    const [one, other] = [open(settingsFor(cluster.nodes)), open(settingsFor(cluster.nodes))];
    await Promise.all([one.store.add(charges(3)), other.store.add(charges(4)), one.store.add(charges(5))]);
    expect((await other.store.read(KEYS)).map(({ used }) => used)).toEqual(KEYS.map(() => 12));
    const sizes = await keysPerNode(cluster);
    for (const size of sizes) expect(size).toBeGreaterThan(0);
    expect(sizes.reduce((sum: number, size) => sum + Number(size), 0)).toBe(KEYS.length);
  });

  it('finds the whole cluster by the one node that answers', async () => {
    const cluster = await startRedisCluster();
    const dead = { host: '127.0.0.1', port: await freePort() };
    // Longer than DNS allows, so that no resolver is asked.
    const nameless = { host: `${'a'.repeat(64)}.test`, port: 6379 };
    const { store } = open(settingsFor([dead, nameless, ...cluster.nodes.slice(0, 1)]));
    await store.add(charges(1));
    expect((await store.read(KEYS)).map(({ used }) => used)).toEqual(KEYS.map(() => 1));
  });

  it('does without a node that is gone, and uses it again when it is back', async () => {
    const cluster = await startRedisCluster({ config: ['cluster-require-full-coverage no'] });
    const { store } = open(settingsFor(cluster.nodes));
    await store.add(charges(1));
    await cluster.nodes[1]?.stop();
    const reads = await Promise.allSettled(KEYS.map((key) => store.read([key])));
    const lost = reads.filter(({ status }) => status === 'rejected');
    expect(lost.length).toBeGreaterThan(0);
    expect(lost.length).toBeLessThan(KEYS.length);
    await cluster.nodes[1]?.restart();
    await cluster.complete();
    await store.add(charges(1));
    const counters = await store.read(KEYS);
    expect(counters.filter(({ used }) => used === 1)).toHaveLength(lost.length);
    expect(counters.filter(({ used }) => used === 2)).toHaveLength(KEYS.length - lost.length);
  });

  it('fails when all nodes are gone, and works again when they are back', async () => {
    const cluster = await startRedisCluster();
    const { store, journal } = open(settingsFor(cluster.nodes));
    await store.add(charges(1));
    await Promise.all(cluster.nodes.map((node) => node.stop()));
    await journal.until(/cannot be reached/);
    const failure = await failureOf(store.read(KEYS));
    expect(failure.message).toContain(`counters (127.0.0.1:${cluster.nodes[0]?.port}, `);
    await Promise.all(cluster.nodes.map((node) => node.restart()));
    await journal.until(/can be reached again/);
    await store.add(charges(1));
    expect((await store.read(KEYS)).map(({ used }) => used)).toEqual(KEYS.map(() => 1));
  });

  it('goes on with the other nodes while one hangs', async () => {
    const cluster = await startRedisCluster({ config: ['cluster-require-full-coverage no'] });
    const { store, journal } = open(settingsFor(cluster.nodes, { timeout: 1000 }));
    await store.add(charges(1));
    cluster.nodes[1]?.pause();
    for (let round = 0; round < 3; round++) {
      const reads = await Promise.allSettled(KEYS.map((key) => store.read([key])));
      const read = reads.filter(({ status }) => status === 'fulfilled').length;
      expect(read).toBeGreaterThan(0);
      expect(read).toBeLessThan(KEYS.length);
    }
    cluster.nodes[1]?.resume();
    await cluster.complete();
    await until(() =>
      store.add(charges(1)).then(
        () => true,
        () => false,
      ),
    );
    expect(journal.lines).toEqual([]);
  });

  it('fails in time when nodes hang', async () => {
    const cluster = await startRedisCluster();
    const timeout = 1000;
    const { store, journal } = open(settingsFor(cluster.nodes, { timeout }));
    await store.add(charges(1));
    for (const node of cluster.nodes) node.pause();
    await expect(store.read(KEYS)).rejects.toThrow();
    await journal.until(/cannot be reached/);
    await expect(store.add(charges(1))).rejects.toThrow('cannot be reached');
    for (const node of cluster.nodes) node.resume();
    await journal.until(/can be reached again/);
    expect(await store.read(KEYS)).toHaveLength(KEYS.length);
  });

  it('logs in with the password, which nobody gets to see', async () => {
    const password = 'the-right-password';
    const cluster = await startRedisCluster({ password });
    const right = open(settingsFor(cluster.nodes, { password }));
    await right.store.add(charges(1));
    expect((await right.store.read(['key-0']))[0]?.used).toBe(1);
    const wrong = open(settingsFor(cluster.nodes, { password: 'a-mistaken-password' }));
    const failure = await failureOf(wrong.store.read(KEYS));
    expect(failure.message).toMatch(/WRONGPASS|NOAUTH/);
    expect(seen(failure, wrong.journal.lines)).not.toContain('a-mistaken-password');
  });
});
