import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, expect, it, vi } from 'vitest';
import type { SharedCounterStore } from '../../../lib/ai-rate-limiting/counter-store.ts';
import { usualGrowth } from '../../support/heap.ts';
import { describeWithRedis, freePort, startRedis, until } from '../../support/redis.ts';
import { GENEROUS_MS, open, settingsFor } from './opening.ts';
import { startProxy } from './proxy.ts';

const CHARGE = [{ key: 'a', amount: 1, windowSeconds: 600 }];

/** Far from the timeout, and further from what it takes not to wait. */
const AT_ONCE_MS = GENEROUS_MS / 3;

interface Settled {
  readonly failed: boolean;
  readonly tookMs: number;
}

async function settle(work: Promise<unknown>): Promise<Settled> {
  const start = performance.now();
  const failed = await work.then(
    () => false,
    () => true,
  );
  return { failed, tookMs: performance.now() - start };
}

/** Reads and charges again and again, a hundred at a time, until told to stop. */
function keepBusy(store: SharedCounterStore): { stop(): Promise<readonly Settled[]> } {
  const settled: Settled[] = [];
  let stopped = false;
  async function lane(index: number): Promise<void> {
    while (!stopped) {
      settled.push(await settle(index % 2 === 0 ? store.read(['a', 'b']) : store.add(CHARGE)));
      // What fails at once would otherwise never let anything else happen.
      await pause(5);
    }
  }
  const lanes = Promise.all(Array.from({ length: 100 }, (_, index) => lane(index)));
  return {
    async stop() {
      stopped = true;
      await lanes;
      return settled;
    },
  };
}

afterEach(() => {
  vi.useRealTimers();
});

describeWithRedis('a Redis that is not there', () => {
  it('is waited for while the first connection is being made', async () => {
    const proxy = await startProxy(await startRedis(), true);
    const { store } = open(settingsFor(proxy));
    const work = Promise.all([store.add(CHARGE), store.read(['a'])]);
    await proxy.sent(/info/gi, 1);
    proxy.release();
    expect((await work)[1]).toHaveLength(1);
  });

  it('is an error that tells where it was looked for, and why it was not found', async () => {
    const port = await freePort();
    const { store } = open(settingsFor({ host: '127.0.0.1', port }));
    await expect(store.read(['a'])).rejects.toThrow(
      `Redis at 127.0.0.1:${port} cannot be reached: connect ECONNREFUSED`,
    );
  });

  it('is not waited for any longer once it could not be reached', async () => {
    const { store, journal } = open(settingsFor({ host: '127.0.0.1', port: await freePort() }));
    await journal.until(/cannot be reached/);
    const settled = await Promise.all([settle(store.read(['a'])), settle(store.add(CHARGE))]);
    expect(settled.map(({ failed }) => failed)).toEqual([true, true]);
    for (const { tookMs } of settled) expect(tookMs).toBeLessThan(AT_ONCE_MS);
  });

  it('is logged once when it goes and once when it comes, however often it is tried', async () => {
    const server = await startRedis();
    await server.stop();
    const { store, journal } = open(settingsFor(server));
    await journal.until(/still cannot be reached/, 3);
    await server.restart();
    await journal.until(/can be reached again/);
    await store.add(CHARGE);
    const redis = `127.0.0.1:${server.port}`;
    expect(journal.lines.filter(({ level }) => level !== 'debug')).toEqual([
      {
        level: 'warn',
        data: { redis, reason: expect.stringContaining('ECONNREFUSED') },
        message: expect.stringContaining('cannot be reached'),
      },
      { level: 'info', data: { redis }, message: expect.stringContaining('can be reached again') },
    ]);
  });

  it('costs no memory for what is asked of it meanwhile', async () => {
    const { store, journal } = open(settingsFor({ host: '127.0.0.1', port: await freePort() }));
    await journal.until(/cannot be reached/);
    const grown = await usualGrowth(4, async () => {
      for (let batch = 0; batch < 30; batch++) {
        await Promise.allSettled(Array.from({ length: 1000 }, () => store.add(CHARGE)));
      }
    });
    // A hundred bytes for each would be more.
    expect(grown).toBeLessThan(3e6);
  });
});

describeWithRedis('a Redis that is killed', () => {
  it('leaves nothing hanging under load, and is used again when it is back', async () => {
    const server = await startRedis();
    const { store, journal } = open(settingsFor(server));
    await store.add(CHARGE);
    const load = keepBusy(store);
    await server.stop();
    await journal.until(/still cannot be reached/, 2);
    await server.restart();
    await journal.until(/can be reached again/);
    const settled = await load.stop();
    expect(settled.some(({ failed }) => failed)).toBe(true);
    for (const { tookMs } of settled) expect(tookMs).toBeLessThan(AT_ONCE_MS);
    await server.call('FLUSHALL');
    await store.add(CHARGE);
    expect((await store.read(['a']))[0]?.used).toBe(1);
  });

  it('fails what it had not answered yet, at once', async () => {
    const server = await startRedis();
    const proxy = await startProxy(server);
    const { store } = open(settingsFor(proxy));
    await store.add(CHARGE);
    proxy.hold();
    server.pause();
    const settled = settle(store.read(['a']));
    await proxy.sent(/\r\nexec\r\n/g, 1);
    await server.stop();
    proxy.release();
    expect((await settled).failed).toBe(true);
    expect((await settled).tookMs).toBeLessThan(AT_ONCE_MS);
  });

  it('fails nothing but what was under way when a connection is lost that can be made anew', async () => {
    const server = await startRedis();
    // Before the first connection: this clock begins at 0.
    vi.useFakeTimers({ toFake: ['performance'] });
    const { store, journal } = open(settingsFor(server));
    await store.add(CHARGE);
    const failures = new Set<string>();
    for (let round = 0; round < 20; round++) {
      // A connection that has stood for so long has not just been made to be dropped.
      vi.advanceTimersByTime(60_000);
      let killed = false;
      const killing = server.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes').finally(() => {
        killed = true;
      });
      const reads: Promise<unknown>[] = [];
      // In every turn of the loop until long after, so that some meet with each state that a socket can be in.
      for (let turnsLeft = 50; turnsLeft > 0; turnsLeft -= killed ? 1 : 0) {
        reads.push(store.read(['a']).catch((error: Error) => failures.add(error.message)));
        await new Promise((resolve) => setImmediate(resolve));
      }
      await Promise.all([killing, ...reads]);
      await until(async () => (await store.read(['a']).catch(() => []))[0]?.used === 1);
    }
    for (const failure of failures) expect(failure).toContain('Connection is closed');
    expect(journal.lines).toEqual([]);
  });

  it('is taken for down when it drops every connection as soon as it is made', async () => {
    const server = await startRedis();
    const { store, journal } = open(settingsFor(server));
    await store.read(['a']);
    vi.useFakeTimers({ toFake: ['performance'] });
    await server.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await journal.until(/can be reached again/);
    expect(journal.lines[0]).toMatchObject({ level: 'warn', data: { reason: 'the connection was lost' } });
    expect(await store.read(['a'])).toHaveLength(1);
  });
});

describeWithRedis('a Redis that hangs', () => {
  const timeout = 1000;

  it('fails what is asked of it when the time is up, and is used again when it goes on', async () => {
    const server = await startRedis();
    const { store, journal } = open(settingsFor(server, { timeout }));
    await store.add(CHARGE);
    server.pause();
    const settled = await Promise.all([settle(store.read(['a'])), settle(store.add(CHARGE))]);
    expect(settled.map(({ failed }) => failed)).toEqual([true, true]);
    for (const { tookMs } of settled) expect(tookMs).toBeLessThan(timeout + AT_ONCE_MS);
    await journal.until(/cannot be reached/);
    await expect(store.read(['a'])).rejects.toThrow('cannot be reached');
    server.resume();
    await journal.until(/can be reached again/);
    expect((await store.read(['a']))[0]?.used).toBeGreaterThanOrEqual(1);
  });

  it('fails in time also when it hangs from the start', async () => {
    const server = await startRedis();
    server.pause();
    const { store } = open(settingsFor(server, { timeout }));
    const { failed, tookMs } = await settle(store.read(['a']));
    expect(failed).toBe(true);
    expect(tookMs).toBeLessThan(timeout + AT_ONCE_MS);
    server.resume();
  });

  it('does not gather what is asked of it', async () => {
    const server = await startRedis();
    const { store, journal } = open(settingsFor(server, { timeout }));
    await store.add(CHARGE);
    const load = keepBusy(store);
    server.pause();
    await journal.until(/still cannot be reached/);
    const grown = await usualGrowth(4, (round) => journal.until(/still cannot be reached/, round + 2));
    const settled = await load.stop();
    server.resume();
    expect(settled.length).toBeGreaterThan(1000);
    // The load's own notes of what has settled are a part of it.
    expect(grown).toBeLessThan(settled.length * 100 + 3e6);
  });
});

describeWithRedis('a Redis that has become a replica', () => {
  it('is left, and used again once it takes charges', async () => {
    const server = await startRedis();
    const { store, journal } = open(settingsFor(server));
    await store.add(CHARGE);
    await server.call('REPLICAOF', '127.0.0.1', await freePort());
    await expect(store.add(CHARGE)).rejects.toThrow('READONLY');
    await journal.until(/cannot be reached/);
    await server.call('REPLICAOF', 'NO', 'ONE');
    await journal.until(/can be reached again/);
    await store.add(CHARGE);
    expect((await store.read(['a']))[0]?.used).toBe(2);
  });
});
