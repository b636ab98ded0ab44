import type { Pool } from 'undici';
import { CHUNKS_PER_ANSWER } from './answers.ts';
import type { Gateway } from './gateways.ts';
import { createPool, openStream, runLoad, sendOnce } from './load.ts';
import { loadOf, type Scenario, scenarios } from './scenarios.ts';
import { median } from './statistics.ts';

/** One measure on one gateway in one round. */
export interface Session {
  /** Puts load on the gateway for about that long. */
  run(durationMs: number): Promise<void>;
  /** Of all runs together, in the measure's unit. */
  figure(): number;
  close(): Promise<void>;
}

/** One row of a table. */
export interface Measure {
  /** What `--only` selects by. */
  group: string;
  title: string;
  unit: 'µs' | 'KB' | 'ms';
  /** `cpu` and `memory` need a gateway's process; `latency` is measured without a gateway too. */
  table: 'cpu' | 'memory' | 'latency';
  runsOn(gateway: Gateway): boolean;
  /** How often the gateways take turns within a round. */
  turns: number;
  /** Rounds wanted when fewer will do: starting a process of its own takes long. */
  maxRounds: number;
  /** The row whose figure of ours this one is compared with too. */
  comparedWith?: string;
  start(gateway: Gateway): Session;
}

/** The host's other tenants change the weather within a second; short turns give every gateway a share of each. */
const TURNS = 5;

const isGateway = (gateway: Gateway): boolean => gateway.mount !== '';

interface CpuOptions {
  group: string;
  title: string;
  scenario: Scenario;
  concurrency: number;
  turns?: number;
  /** What the CPU time of one request is divided by. */
  perRequest?: number;
  mount?: string;
  headers?: Readonly<Record<string, string>>;
  comparedWith?: string;
}

function cpu({
  scenario,
  concurrency,
  turns = TURNS,
  perRequest = 1,
  mount,
  headers,
  ...row
}: CpuOptions): Measure {
  return {
    ...row,
    unit: 'µs',
    table: 'cpu',
    runsOn: (gateway) => isGateway(gateway) && (mount === undefined || gateway.isOurs),
    turns,
    maxRounds: Number.POSITIVE_INFINITY,
    start(gateway) {
      const pool = createPool(gateway.child.origin);
      const load = loadOf(scenario, gateway, mount, headers);
      let cpuMicros = 0;
      let requests = 0;
      return {
        async run(durationMs) {
          const before = await gateway.child.usage();
          requests += (await runLoad(pool, load, concurrency, durationMs)).requests;
          cpuMicros += (await gateway.child.usage()).cpuMicros - before.cpuMicros;
        },
        figure: () => cpuMicros / (requests * perRequest),
        close: () => pool.close(),
      };
    },
  };
}

const OPEN_STREAMS = 1000;

/** Opened in groups: a thousand connections at once would measure the listen backlog. */
const OPENED_AT_ONCE = 50;

async function openStreams(pool: Pool, gateway: Gateway, count: number): Promise<void> {
  const load = loadOf(scenarios.held, gateway);
  for (let opened = 0; opened < count; opened += OPENED_AT_ONCE) {
    await Promise.all(Array.from({ length: OPENED_AT_ONCE }, () => openStream(pool, load)));
  }
}

async function bytesPerStream(gateway: Gateway, warmupMs: number): Promise<number> {
  // A process of its own: what an earlier round has freed would be used again unseen.
  const child = await gateway.start();
  const warmup = createPool(child.origin);
  // Two at a time: a busy warm-up leaves free pages behind, sometimes 20 MB, that the streams would then take.
  await runLoad(warmup, loadOf(scenarios.stream, gateway), 2, warmupMs);
  await warmup.close();

  const before = await child.collect();
  const pool = createPool(child.origin);
  await openStreams(pool, gateway, OPEN_STREAMS);
  const after = await child.collect();
  await pool.destroy();
  await child.stop();
  return (after.rssBytes - before.rssBytes) / OPEN_STREAMS;
}

const memory: Measure = {
  group: 'rss',
  title: `RSS per open stream, ${OPEN_STREAMS.toLocaleString('en')} open`,
  unit: 'KB',
  table: 'memory',
  runsOn: isGateway,
  turns: 1,
  maxRounds: 5,
  start(gateway) {
    let bytes = 0;
    return {
      async run(durationMs) {
        bytes = await bytesPerStream(gateway, durationMs);
      },
      figure: () => bytes / 1024,
      async close() {},
    };
  },
};

/** Every consumer asks once, so that each has its limiter and its counters. */
async function bytesPerConsumer(gateway: Gateway, mount: string, count: number): Promise<number> {
  const child = await gateway.start();
  const pool = createPool(child.origin);
  await runLoad(pool, loadOf(scenarios.small, gateway), 8, 1000);
  const before = await child.collect();
  const ask = (index: number): Promise<unknown> =>
    sendOnce(pool, loadOf(scenarios.small, gateway, mount, { apikey: `consumer-key-${index}` }));
  for (let asked = 0; asked < count; asked += OPENED_AT_ONCE) {
    await Promise.all(Array.from({ length: OPENED_AT_ONCE }, (_, index) => ask(asked + index)));
  }
  const after = await child.collect();
  await pool.destroy();
  await child.stop();
  return (after.heapBytes - before.heapBytes) / count;
}

function consumerMemory(mount: string, count: number): Measure {
  return {
    group: 'consumers',
    title: `heap per consumer with limits, of ${count.toLocaleString('en')} that have asked`,
    unit: 'KB',
    table: 'memory',
    runsOn: (gateway) => isGateway(gateway) && gateway.isOurs,
    turns: 1,
    maxRounds: 3,
    start(gateway) {
      let bytes = 0;
      return {
        async run() {
          bytes = await bytesPerConsumer(gateway, mount, count);
        },
        figure: () => bytes / 1024,
        async close() {},
      };
    },
  };
}

function latency(title: string, scenario: Scenario, key: 'firstByteMs' | 'totalMs'): Measure {
  return {
    group: 'latency',
    title,
    unit: 'ms',
    table: 'latency',
    runsOn: () => true,
    turns: TURNS,
    maxRounds: Number.POSITIVE_INFINITY,
    start(gateway) {
      const pool = createPool(gateway.child.origin);
      const samples: number[] = [];
      return {
        async run(durationMs) {
          samples.push(...(await runLoad(pool, loadOf(scenario, gateway), 1, durationMs))[key]);
        },
        figure: () => median(samples),
        close: () => pool.close(),
      };
    },
  };
}

const SMALL = 'small request';
const chunks = { concurrency: 32, perRequest: CHUNKS_PER_ANSWER };

/** An answer takes a second: one turn a round is enough. */
const paced = { group: 'paced', turns: 1, ...chunks };

const UNLIMITED = 'small request, behind a middleware that does nothing';
const TEN_CONSUMERS = 'small request, one of 10 consumers with limits';
const quota = { group: 'quota', scenario: scenarios.small, concurrency: 32 };
const consumers = {
  group: 'consumers',
  scenario: scenarios.small,
  concurrency: 32,
  headers: { apikey: 'consumer-key-7' },
};

export const measures: readonly Measure[] = [
  cpu({ group: 'small', title: SMALL, scenario: scenarios.small, concurrency: 32 }),
  cpu({
    group: 'fallback',
    title: 'small request, a 429 and then a 200',
    scenario: scenarios.small,
    concurrency: 32,
    mount: '/fallback',
    comparedWith: SMALL,
  }),
  cpu({ ...quota, title: UNLIMITED, mount: '/unlimited' }),
  cpu({ ...quota, title: 'small request, rate limited', mount: '/limited', comparedWith: UNLIMITED }),
  cpu({ ...consumers, title: TEN_CONSUMERS, mount: '/ten-consumers' }),
  cpu({
    ...consumers,
    title: 'small request, one of 10,000 consumers with limits',
    mount: '/ten-thousand-consumers',
    comparedWith: TEN_CONSUMERS,
  }),
  cpu({ group: '64k', title: '64 KB conversation', scenario: scenarios.conversation64K, concurrency: 32 }),
  cpu({ group: '1m', title: '1 MB conversation', scenario: scenarios.conversation1M, concurrency: 8 }),
  cpu({ group: '1m', title: '1 MB inline image', scenario: scenarios.image1M, concurrency: 8 }),
  cpu({ group: '1m', title: '1 MB conversation, CJK', scenario: scenarios.cjk1M, concurrency: 8 }),
  cpu({ group: 'stream', title: 'streamed chunk', scenario: scenarios.stream, ...chunks }),
  cpu({
    group: 'stream',
    title: 'streamed chunk, usage asked for',
    scenario: scenarios.streamWithUsage,
    ...chunks,
  }),
  cpu({ title: 'chunk each 5 ms, 32 streams', scenario: scenarios.paced, ...paced }),
  cpu({
    title: 'chunk each 5 ms, 32 streams, usage asked for',
    scenario: scenarios.pacedWithUsage,
    ...paced,
  }),
  memory,
  consumerMemory('/thousand-consumers', 1000),
  consumerMemory('/ten-thousand-consumers', 10_000),
  latency('small request, whole answer', scenarios.small, 'totalMs'),
  latency('streamed answer, first byte', scenarios.stream, 'firstByteMs'),
];
