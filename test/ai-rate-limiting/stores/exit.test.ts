import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, inject, it } from 'vitest';
import type { LoadedStore } from '../../../lib/config/loaded-rate-limiting.ts';
import { describeWithRedis, freePort, startRedis } from '../../support/redis.ts';
import { startRedisCluster } from '../../support/redis-cluster.ts';
import { startWatchedRedis } from '../../support/redis-sentinel.ts';
import { settingsFor } from './opening.ts';

const PROCESS = 'test/ai-rate-limiting/stores/exiting-process.js';

/** Long after it should have ended by itself. */
const KILLED_AFTER_MS = 10_000;

/** What a process that opens such a store has printed when it has ended by itself. */
async function runUntilItEnds(settings: LoadedStore, how: string): Promise<string> {
  const child = spawn(process.execPath, [PROCESS, JSON.stringify(settings), how], {
    cwd: inject('checkout'),
    timeout: KILLED_AFTER_MS,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const [code, signal] = await once(child, 'close');
  expect({ code, signal, output }).toMatchObject({ code: 0, signal: null });
  return output;
}

const sentinelSettings = { role: 'master', database: 0, connectTimeout: 2000, readTimeout: 2000 } as const;

describe('a process with counters in its memory', () => {
  it('ends by itself, without closing the store', async () => {
    expect(await runUntilItEnds({ policy: 'local' }, 'leave')).toBe('used 1\n');
  });
});

describeWithRedis('a process with counters in Redis', () => {
  it.each(['close', 'leave'])('waits for what is under way and then ends by itself (%s)', async (how) => {
    const server = await startRedis();
    expect(await runUntilItEnds(settingsFor(server), how)).toBe('used 1\n');
  });

  it('ends by itself when the connection was never used', async () => {
    expect(await runUntilItEnds(settingsFor(await startRedis()), 'never-used')).toBe('');
  });

  it.each(['close', 'leave'])('ends by itself over TLS (%s)', async (how) => {
    const settings = settingsFor(await startRedis({ tls: true }), { ssl: true, sslVerify: false });
    expect(await runUntilItEnds(settings, how)).toBe('used 1\n');
  });

  it.each(['close', 'leave'])('ends by itself while Redis cannot be reached (%s)', async (how) => {
    const settings = settingsFor({ host: '127.0.0.1', port: await freePort() });
    expect(await runUntilItEnds(settings, how)).toContain('cannot be reached');
  });

  it.each(['close', 'leave'])('ends by itself while Redis hangs (%s)', async (how) => {
    const server = await startRedis();
    server.pause();
    expect(await runUntilItEnds(settingsFor(server, { timeout: 200 }), how)).toContain('Redis');
    server.resume();
  });

  it.each(['close', 'leave'])('ends by itself in a cluster (%s)', async (how) => {
    const { nodes } = await startRedisCluster();
    const addresses = nodes.map(({ host, port }) => ({ host, port }));
    const settings = { name: 'counters', nodes: addresses, timeout: 5000, ssl: false, sslVerify: true };
    expect(await runUntilItEnds({ policy: 'redis-cluster', ...settings }, how)).toBe('used 1\n');
  });

  it.each(['close', 'leave'])('ends by itself behind sentinels (%s)', async (how) => {
    const { sentinel, name } = await startWatchedRedis();
    const settings = { masterName: name, sentinels: [{ host: sentinel.host, port: sentinel.port }] };
    expect(await runUntilItEnds({ policy: 'redis-sentinel', ...settings, ...sentinelSettings }, how)).toBe(
      'used 1\n',
    );
  });
});
