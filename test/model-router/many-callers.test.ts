import { describe, expect, it } from 'vitest';
import { loadModelRouter } from '../../lib/config/load-model-router.ts';
import { makeCallerIndex } from '../../lib/model-router/caller-index.ts';
import { callerKeys, largeRouter } from '../bench/large-router.ts';
import { median } from '../bench/statistics.ts';
import { asConfig, startLive } from './live-router.ts';

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const LOOK_UPS = 500;

function openLookUps(count: number): () => number {
  const { callers = [] } = loadModelRouter(largeRouter(10, count), quiet, { hasSecretResolver: false });
  const index = makeCallerIndex(callers);
  const requests = callerKeys(count).map((key) => ({ authorization: `Bearer ${key}` }));
  const nowMs = Date.now();
  return () => {
    const startedAt = performance.now();
    for (let at = 0; at < LOOK_UPS; at++) index.findCaller(requests[(at * 7) % count] ?? {}, nowMs);
    return performance.now() - startedAt;
  };
}

describe('ten thousand callers and a thousand models', () => {
  it('cost a request no more than ten callers do', () => {
    const few = openLookUps(10);
    const many = openLookUps(10_000);
    // In turns, so that whatever else the machine does slows both alike. A list would be some hundred times slower.
    const rounds = Array.from({ length: 60 }, () => ({ few: few(), many: many() }));
    const ratio = median(rounds.map((round) => round.many)) / median(rounds.map((round) => round.few));
    expect(ratio).toBeLessThan(10);
  }, 60_000);

  it('are served, and a change is served at once', async () => {
    const config = largeRouter(1000, 10_000);
    const live = await startLive({ ...config });
    const key = 'caller-key-9999';
    expect((await live.chat('alias-99', key)).status).toBe(502);
    expect((await live.chat('direct-0', key)).status).toBe(403);
    live.router.update(asConfig({ ...config, api_keys: config.api_keys?.slice(0, -1) }));
    expect((await live.chat('alias-99', key)).status).toBe(401);
    expect((await live.chat('alias-99', 'caller-key-9998')).status).toBe(502);
  }, 60_000);
});
