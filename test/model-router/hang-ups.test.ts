/** Callers that leave at any time, of upstreams that fail at any time. See fault-injection.test.ts. */
import http from 'node:http';
import type { ModelRouterConfig } from 'ai-proxy-multi';
import { describe, expect, it } from 'vitest';
import { startHolding } from '../support/holding-upstream.ts';
import type { Upstream } from '../support/upstream.ts';
import { chance } from './chance.ts';
import { inParallel } from './fault-client.ts';
import { faultyUpstreams } from './faulty-upstream.ts';
import { activeResources, connectionsOf, until } from './left-behind.ts';
import {
  aliasOf,
  bearer,
  callerFor,
  chat,
  keyFor,
  modelFor,
  type StartedRouter,
  startRouter,
} from './started-router.ts';

const SEED = 77;
const REQUESTS = 300;
const AT_ONCE = 20;

/** When a caller leaves: so long after it has sent its request, or when this much of the answer has come. */
type Leaving = { readonly afterMs: number } | { readonly at: 'head' | 'byte' };

function leavingFor(index: number): Leaving {
  const number = chance(SEED, 'leaving', index);
  if (number < 0.25) return { at: 'head' };
  if (number < 0.5) return { at: 'byte' };
  return { afterMs: number * number * 100 };
}

/** Sends a chat and leaves. Resolves when the connection is closed. */
function askAndLeave(port: number, body: object, leaving: Leaving): Promise<void> {
  return new Promise((resolve) => {
    const req = http.request({
      port,
      agent: false,
      method: 'POST',
      path: '/v1/chat/completions',
      headers: { 'content-type': 'application/json', ...bearer('caller') },
    });
    const leave = (): void => {
      req.destroy();
    };
    req.on('error', () => {});
    req.on('close', resolve);
    req.on('response', (res) => {
      res.on('error', () => {});
      if ('afterMs' in leaving) res.resume();
      else if (leaving.at === 'head') leave();
      else res.on('data', leave).on('end', leave);
    });
    req.end(JSON.stringify(body));
    if ('afterMs' in leaving) setTimeout(leave, leaving.afterMs);
  });
}

const PLACES = 30;
const limits = { rate_limit: { concurrency: PLACES } };

/** Some upstreams say nothing: whoever waits for a byte leaves when the router does. */
const IMPATIENT = { timeout: 300, stream_timeout: 300 };

function configFor(one: Upstream, two: Upstream, times: object): ModelRouterConfig {
  return {
    provider_keys: [keyFor('one', one.url), keyFor('two', two.url)],
    models: [
      modelFor('one', { ...limits, ...times }),
      modelFor('two', { ...limits, ...times }),
      aliasOf('chat', ['one', 'two'], { retries: 1, retry_on_429: true }, limits),
    ],
    api_keys: [callerFor('caller', limits)],
  };
}

async function runAll({ port, server }: StartedRouter): Promise<void> {
  await inParallel(REQUESTS, AT_ONCE, async (index) => {
    const stream = chance(SEED, 'stream', index) < 0.5;
    const messages = [{ role: 'user', content: 'Hi' }];
    await askAndLeave(port, { model: 'chat', user: `r${index}`, stream, messages }, leavingFor(index));
  });
  await until(async () => (await connectionsOf([server])) === 0);
}

async function startBusy() {
  const upstreams = faultyUpstreams(SEED);
  const [one, two] = [await upstreams.start('one'), await upstreams.start('two')];
  const started = await startRouter(configFor(one, two, IMPATIENT));
  return { started, one, two };
}

describe('three hundred callers that leave at random', () => {
  it('leave no request, no socket and no timer behind', async () => {
    const { started, one, two } = await startBusy();
    const before = activeResources();
    await runAll(started);
    // Nothing waits for a time-out that is seconds away.
    const { in_flight, instances } = started.router.status();
    expect([in_flight, ...instances.map((instance) => instance.in_flight)]).toEqual([0, 0, 0]);
    const outcomes = [...new Set(started.finished.map(({ llm_outcome }) => llm_outcome))];
    expect(outcomes).toEqual(expect.arrayContaining(['client_gone', 'complete', 'cut', 'rejected']));
    await started.router.close();
    await until(async () => (await connectionsOf([one.server, two.server])) === 0);
    const more = Object.entries(activeResources()).filter(([kind, count]) => count > (before[kind] ?? 0));
    expect(more).toEqual([]);
  }, 60_000);

  it('leave all places of the key, the alias and its target free', async () => {
    const { started } = await startBusy();
    await runAll(started);
    const holding = await startHolding();
    // The same limits: what they have counted goes on.
    started.router.update(configFor(holding, holding, {}));
    const held = Array.from({ length: PLACES }, () => chat(started, 'chat', {}, bearer('caller')));
    await holding.holding(PLACES);
    expect((await chat(started, 'chat', {}, bearer('caller'))).status).toBe(429);
    holding.release();
    const statuses = (await Promise.all(held)).map(({ status }) => status);
    expect(statuses).toEqual(Array(PLACES).fill(200));
  }, 60_000);
});
