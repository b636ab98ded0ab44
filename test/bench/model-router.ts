// How long it takes to give a large router another configuration, and to look up a caller. By hand:
// npx tsx --tsconfig test/tsconfig.json test/bench/model-router.ts
import { type ModelRouterConfig, modelRouter } from 'ai-proxy-multi';
import { loadModelRouter } from '../../lib/config/load-model-router.ts';
import { makeCallerIndex } from '../../lib/model-router/caller-index.ts';
import { callerKeys, largeRouter } from './large-router.ts';
import { median } from './statistics.ts';

const MODELS = 1000;
const CALLERS = 10_000;
const UPDATES = 30;
const LOOK_UPS = 2000;
const ROUNDS = 50;

const quiet = { debug() {}, info() {}, warn() {}, error() {} };

function say(what: string, ms: readonly number[], unit = 'ms'): void {
  const [middle, longest] = [median(ms), Math.max(...ms)];
  process.stdout.write(
    `${what}: median ${middle.toFixed(2)} ${unit}, longest ${longest.toFixed(2)} ${unit}\n`,
  );
}

function timesOf(rounds: number, work: (round: number) => void): readonly number[] {
  return Array.from({ length: rounds }, (_, round) => {
    const startedAt = performance.now();
    work(round);
    return performance.now() - startedAt;
  });
}

/** The same models and callers, each of them with something else in it. */
function changed(config: ModelRouterConfig): ModelRouterConfig {
  return {
    ...config,
    models: config.models.map((model) => ({ ...model, rate_limit: { rpm: 5 } })),
    api_keys: config.api_keys?.map((caller) => ({ ...caller, rate_limit: { rpm: 5 } })) ?? [],
  };
}

function measureUpdates(): void {
  const config = largeRouter(MODELS, CALLERS);
  const update = (what: string, other: ModelRouterConfig): void => {
    const router = modelRouter(config, { logger: quiet });
    const configs = [other, config];
    const times = timesOf(UPDATES, (round) => router.update(configs[round % 2] ?? config));
    say(`update() of ${MODELS} models and ${CALLERS} callers, ${what}`, times);
  };
  update('one model more or less', { ...config, models: config.models.slice(0, -1) });
  update('each of them changed', changed(config));
  say(
    'opening it anew',
    timesOf(UPDATES, () => void modelRouter(config, { logger: quiet })),
  );
}

function measureLookUps(callers: number): void {
  const { callers: loaded = [] } = loadModelRouter(largeRouter(10, callers), quiet, {
    hasSecretResolver: false,
  });
  const index = makeCallerIndex(loaded);
  const requests = callerKeys(callers).map((key) => ({ authorization: `Bearer ${key}` }));
  const nowMs = Date.now();
  const perLookUp = timesOf(ROUNDS, (round) => {
    for (let at = 0; at < LOOK_UPS; at++)
      index.findCaller(requests[(round + at * 7) % requests.length] ?? {}, nowMs);
  }).map((ms) => (ms / LOOK_UPS) * 1000);
  say(`a look-up among ${callers} callers`, perLookUp, 'µs');
}

measureUpdates();
for (const callers of [10, CALLERS]) measureLookUps(callers);
