import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { ask, asking, openStream, signal, socketClosed, startStreaming } from './streaming.ts';

const PATH = '/v1/chat/completions';

const MEGABYTE = 1024 * 1024;

/** Far more than all the buffers of the operating system between the two ends hold. */
const TOTAL = 64 * MEGABYTE;

/** Of the process, in which the upstream, the gateway and the client all have their turns. */
const LONGER_THAN_ANY_PAUSE_MS = 1500;

const PIECE = Buffer.from(`data: ${'x'.repeat(64 * 1024 - 8)}\n\n`);

interface Source {
  /** Bytes that the upstream could hand to its socket. */
  written: number;
  socket: Socket | undefined;
}

/** Sends a stream as fast as it is taken. */
async function pour(source: Source, res: ServerResponse, total: number): Promise<void> {
  openStream(res);
  source.socket = res.socket ?? undefined;
  let wake = (): void => {};
  for (const event of ['drain', 'close']) res.on(event, () => wake());
  while (source.written < total && !res.destroyed) {
    source.written += PIECE.length;
    if (!res.write(PIECE))
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
  }
  res.end();
}

async function startPouring(total: number, timeout: number) {
  const source: Source = { written: 0, socket: undefined };
  const begun = signal();
  const { app } = await startStreaming(
    (_call, res) => {
      begun.happen();
      return pour(source, res, total);
    },
    { timeout },
  );
  return { app, source, begun: begun.happened };
}

function connections(server: Server): Promise<number> {
  return new Promise((resolve, reject) =>
    server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
  );
}

/** Resolves when the upstream has written nothing more for two looks in a row. */
async function stalled(source: Source): Promise<void> {
  for (let before = -1; before !== source.written || source.written === 0; ) {
    before = source.written;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

describe('a client that does not read', () => {
  it('makes the upstream wait, and gets everything once it reads on', async () => {
    const { app, source, begun } = await startPouring(TOTAL, 20_000);
    const client = await ask(app, asking, PATH, ['Connection: close']);
    client.socket.pause();
    await begun;
    await stalled(source);
    expect(source.written).toBeLessThan(TOTAL / 2);
    let bytes = 0;
    client.socket.removeAllListeners('data');
    client.socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    client.socket.resume();
    await client.closed();
    expect(bytes).toBeGreaterThan(TOTAL);
    expect(await app.ended(1)).toMatchObject([{ llm_outcome: 'complete' }]);
  });

  it('for longer than `timeout` is cut, and the LLM’s connection with it', async () => {
    const { app, source } = await startPouring(TOTAL, LONGER_THAN_ANY_PAUSE_MS);
    const client = await ask(app, asking);
    client.socket.pause();
    expect(await app.ended(1)).toMatchObject([{ llm_outcome: 'cut' }]);
    if (source.socket !== undefined) await socketClosed(source.socket);
    expect(source.written).toBeLessThan(TOTAL / 2);
    client.socket.resume();
    expect((await client.closed()).endsWith('0\r\n\r\n')).toBe(false);
  });

  it('for longer than `timeout` is cut in a plain answer too', async () => {
    const body = Buffer.alloc(TOTAL / 2, 'x');
    const { app } = await startStreaming(
      (_call, res) => {
        res.writeHead(200, { 'content-type': 'application/json' });
        res.end(body);
      },
      { timeout: LONGER_THAN_ANY_PAUSE_MS },
    );
    const client = await ask(app, asking);
    client.socket.pause();
    expect(await app.ended(1)).toMatchObject([{ llm_outcome: 'cut' }]);
    while ((await connections(app.server)) > 0) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(app.middleware.status().in_flight).toBe(0);
  });
});

describe('a client that reads slowly', () => {
  it('is not cut, though it takes far longer than `timeout`', async () => {
    const total = 24 * MEGABYTE;
    const { app } = await startPouring(total, LONGER_THAN_ANY_PAUSE_MS);
    const client = await ask(app, asking, PATH, ['Connection: close']);
    let bytes = 0;
    client.socket.removeAllListeners('data');
    client.socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      client.socket.pause();
      setTimeout(() => client.socket.resume(), 8);
    });
    await client.closed();
    expect(bytes).toBeGreaterThan(total);
    expect(await app.ended(1)).toMatchObject([{ llm_outcome: 'complete' }]);
  });
});
