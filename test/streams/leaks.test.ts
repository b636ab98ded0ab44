import http from 'node:http';
import type { Socket } from 'node:net';
import { aiProxyMulti } from 'ai-proxy-multi';
import { describe, expect, it, onTestFinished } from 'vitest';
import { instance, serve } from '../support/app.ts';
import { usualGrowth } from '../support/heap.ts';
import { chatEvent, doneEvent } from '../support/upstream.ts';
import { asking, openStream } from './streaming.ts';

const STREAMS = 500;
const AT_ONCE = 50;

interface Bare {
  readonly port: number;
  readonly gateway: http.Server;
  readonly llm: http.Server;
  readonly middleware: ReturnType<typeof aiProxyMulti>;
}

/** A gateway and an LLM that keep nothing of a request, so that whatever stays behind is the gateway's doing. */
async function startBare(answer: (res: http.ServerResponse) => void): Promise<Bare> {
  const llm = await serve((req, res) => {
    req.resume();
    openStream(res);
    res.write(chatEvent('Hi'));
    answer(res);
  });
  const middleware = aiProxyMulti({
    max_stream_duration_ms: 600_000,
    instances: [instance('one', llm.url)],
  });
  const { server, port } = await serve((req, res) => middleware(req, res));
  onTestFinished(async () => {
    server.closeAllConnections();
    await middleware.close();
  });
  return { port, gateway: server, llm: llm.server, middleware };
}

function requestTo(port: number, agent: http.Agent | false): http.ClientRequest {
  return http.request({
    port,
    method: 'POST',
    path: '/v1/chat/completions',
    headers: { 'content-type': 'application/json' },
    agent,
  });
}

/** Opens a stream, waits for its first bytes and hangs up. */
function openAndAbort(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const req = requestTo(port, false);
    req.on('response', (res) => {
      res.once('data', () => req.destroy());
      // Hanging up in mid-stream is an error to this end of it.
      res.on('error', () => {});
    });
    req.on('error', reject);
    req.on('close', () => resolve());
    req.end(JSON.stringify(asking));
  });
}

function readWhole(port: number, agent: http.Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const req = requestTo(port, agent);
    req.on('response', (res) => res.resume().on('end', () => resolve()));
    req.on('error', reject);
    req.end(JSON.stringify(asking));
  });
}

function connections(server: http.Server): Promise<number> {
  return new Promise((resolve, reject) =>
    server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
  );
}

/** Resolves when no socket is left on either side of the gateway. */
async function quiet({ gateway, llm }: Bare): Promise<void> {
  while ((await connections(gateway)) + (await connections(llm)) > 0) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function runRound(bare: Bare): Promise<void> {
  for (let started = 0; started < STREAMS; started += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, () => openAndAbort(bare.port)));
  }
  await quiet(bare);
}

/** What keeps the process busy, by kind. */
function resources(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) {
    if (/TCP|Timeout|Immediate|Zlib/.test(kind)) counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}

function listenersOf(emitters: readonly NodeJS.EventEmitter[]): Record<string, number>[] {
  return emitters.map((emitter) =>
    Object.fromEntries(emitter.eventNames().map((name) => [String(name), emitter.listenerCount(name)])),
  );
}

function watchWarnings(): readonly Error[] {
  const warnings: Error[] = [];
  const listen = (warning: Error): void => {
    warnings.push(warning);
  };
  process.on('warning', listen);
  onTestFinished(() => {
    process.off('warning', listen);
  });
  return warnings;
}

describe('five hundred streams that are opened and abandoned', () => {
  it('leave no socket, no timer, no listener and no count behind', async () => {
    const bare = await startBare(() => {});
    const warnings = watchWarnings();
    const shared = [process, bare.gateway];
    await openAndAbort(bare.port);
    await quiet(bare);
    const before = resources();
    const listeners = listenersOf(shared);
    await runRound(bare);
    // Fewer is no leak: something may have been on its way out when they were counted first.
    const more = Object.entries(resources()).filter(([kind, count]) => count > (before[kind] ?? 0));
    expect(more).toEqual([]);
    expect(listenersOf(shared)).toEqual(listeners);
    expect(bare.middleware.status()).toMatchObject({
      in_flight: 0,
      instances: [{ in_flight: 0, attempts: STREAMS + 1 }],
    });
    expect(warnings).toEqual([]);
  }, 60_000);

  it('leave no memory behind, however often they come', async () => {
    const bare = await startBare(() => {});
    expect(await usualGrowth(4, () => runRound(bare))).toBeLessThan(STREAMS * 512);
  }, 60_000);
});

describe('one connection that carries two hundred streams', () => {
  it('gathers no listeners', async () => {
    const bare = await startBare((res) => setImmediate(() => res.end(doneEvent)));
    const warnings = watchWarnings();
    const sockets: Socket[] = [];
    bare.gateway.on('connection', (socket) => sockets.push(socket));
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    await readWhole(bare.port, agent);
    await readWhole(bare.port, agent);
    const before = listenersOf(sockets);
    for (let count = 0; count < 200; count++) await readWhole(bare.port, agent);
    expect([sockets.length, listenersOf(sockets)]).toEqual([1, before]);
    expect(warnings).toEqual([]);
  });
});
