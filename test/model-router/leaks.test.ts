import type { EventEmitter } from 'node:events';
import http from 'node:http';
import { modelRouter } from 'ai-proxy-multi';
import { describe, expect, it, onTestFinished } from 'vitest';
import { serve } from '../support/app.ts';
import { usualGrowth } from '../support/heap.ts';
import { connectRaw, rawPost } from '../support/raw.ts';
import { chatEvent } from '../support/upstream.ts';
import { inParallel } from './fault-client.ts';
import { activeResources, connectionsOf, until } from './left-behind.ts';
import { aliasOf, bearer, callerFor, keyFor, modelFor, startRouter } from './started-router.ts';

const STREAMS = 500;
const AT_ONCE = 50;

const body = JSON.stringify({ model: 'chat', stream: true, messages: [{ role: 'user', content: 'Hi' }] });

/** A router and an LLM that keep nothing of a request, so that whatever stays behind is the router's doing. */
async function startBare() {
  const llm = await serve((req, res) => {
    req.resume();
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.write(chatEvent('Hi'));
  });
  const limits = { rate_limit: { concurrency: 1000, tpm: 1_000_000_000 } };
  const router = modelRouter({
    provider_keys: [keyFor('one', llm.url)],
    models: [modelFor('one', limits), aliasOf('chat', ['one'], {}, limits)],
    api_keys: [callerFor('caller', limits)],
  });
  const { server, port } = await serve(router);
  onTestFinished(async () => {
    server.closeAllConnections();
    await router.close();
  });
  return { port, router, servers: [server, llm.server] };
}

/** Opens a stream, waits for its first bytes and hangs up. */
function openAndAbort(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', ...bearer('caller') };
    const req = http.request({ port, method: 'POST', path: '/v1/chat/completions', headers, agent: false });
    req.on('response', (res) => {
      res.once('data', () => req.destroy());
      // Hanging up in mid-stream is an error to this end of it.
      res.on('error', () => {});
    });
    req.on('error', reject);
    req.on('close', resolve);
    req.end(body);
  });
}

async function runRound({ port, servers }: Awaited<ReturnType<typeof startBare>>): Promise<void> {
  await inParallel(STREAMS, AT_ONCE, () => openAndAbort(port));
  await until(async () => (await connectionsOf(servers)) === 0);
}

function listenersOf(emitter: EventEmitter): Record<string, number> {
  return Object.fromEntries(emitter.eventNames().map((name) => [String(name), emitter.listenerCount(name)]));
}

describe('five hundred streams through a model router that are opened and abandoned', () => {
  it('leave no socket, no timer, no listener and no count behind', async () => {
    const bare = await startBare();
    await openAndAbort(bare.port);
    await until(async () => (await connectionsOf(bare.servers)) === 0);
    const before = activeResources();
    const listeners = listenersOf(process);
    await runRound(bare);
    // Fewer is no leak: something may have been on its way out when they were counted first.
    const more = Object.entries(activeResources()).filter(([kind, count]) => count > (before[kind] ?? 0));
    expect(more).toEqual([]);
    expect(listenersOf(process)).toEqual(listeners);
    expect(bare.router.status()).toMatchObject({
      in_flight: 0,
      requests: { client_gone: STREAMS + 1 },
      instances: [{ in_flight: 0, attempts: STREAMS + 1 }],
    });
  }, 60_000);

  it('leave no memory behind, however often they come', async () => {
    const bare = await startBare();
    expect(await usualGrowth(4, () => runRound(bare))).toBeLessThan(STREAMS * 512);
  }, 60_000);
});

describe('a caller that leaves while the rest of an error is awaited', () => {
  it('leaves no timer behind', async () => {
    let arrived = (): void => {};
    const arrival = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const llm = await serve((_req, res) => {
      res.writeHead(400, { 'content-type': 'application/json' });
      res.write('{"error":', arrived);
    });
    const started = await startRouter({ provider_keys: [keyFor('one', llm.url)], models: [modelFor('one')] });
    const before = activeResources();
    const client = await connectRaw(started.port);
    client.write(rawPost('/v1/chat/completions', body.replace('chat', 'one')));
    await arrival;
    await until(async () => started.router.status().instances[0]?.answers['4xx'] === 1);
    client.socket.destroy();
    await started.ended(1);
    expect(activeResources().Timeout ?? 0).toBeLessThanOrEqual(before.Timeout ?? 0);
  });
});
