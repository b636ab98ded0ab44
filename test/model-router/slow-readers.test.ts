/** Plain answers that are complete, and large, before their first byte goes to a caller who takes its time. */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { connectRaw, type RawClient, rawPost } from '../support/raw.ts';
import { chatAnswer, startUpstream } from '../support/upstream.ts';
import { keyFor, modelFor, type StartedRouter, startRouter } from './started-router.ts';

const MIB = 1024 * 1024;

/** Far more than all the buffers of the operating system between the two ends hold. */
const TOTAL = 24 * MIB;

const text = JSON.stringify(chatAnswer('upstream-a', 'x'.repeat(TOTAL)));

interface Started {
  readonly started: StartedRouter;
  readonly client: RawClient;
  /** The response as the router was given it. */
  readonly response: Promise<ServerResponse>;
}

/** A caller who has asked for a large answer and does not read. */
async function askWithoutReading(): Promise<Started> {
  const llm = await startUpstream((_call, res) => {
    res.writeHead(200, { 'content-type': 'application/json' }).end(text);
  });
  let give = (_res: ServerResponse): void => {};
  const response = new Promise<ServerResponse>((resolve) => {
    give = resolve;
  });
  const started = await startRouter(
    { provider_keys: [keyFor('a', llm.url)], models: [modelFor('a')] },
    {
      around: (router) => (req, res) => {
        give(res);
        router(req, res);
      },
    },
  );
  const client = await connectRaw(started.port);
  client.socket.removeAllListeners('data');
  client.socket.pause();
  const body = JSON.stringify({ model: 'a', messages: [{ role: 'user', content: 'Hi' }] });
  client.write(rawPost('/v1/chat/completions', body, ['Connection: close']));
  return { started, client, response };
}

function bytesGone(socket: Socket): number {
  return socket.bytesWritten - socket.writableLength;
}

/** Resolves when bytes have left for the caller and no more can. */
async function stalled({ socket }: ServerResponse): Promise<void> {
  for (let [before, looks] = [0, 0]; looks < 5; ) {
    await new Promise((resolve) => setTimeout(resolve, 40));
    const now = socket === null ? 0 : bytesGone(socket);
    looks = now === before && now > 0 ? looks + 1 : 0;
    before = now;
  }
}

describe('a caller who reads a large plain answer slowly', () => {
  it('is seen to make progress, and gets every byte of it', async () => {
    const { started, client, response } = await askWithoutReading();
    const { socket } = await response;
    const seen = new Set<number>();
    const chunks: Buffer[] = [];
    client.socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      const gone = socket === null || socket.destroyed ? 0 : bytesGone(socket);
      if (gone > MIB && gone < TOTAL - MIB) seen.add(gone);
    });
    client.socket.resume();
    await client.closed();
    expect(seen.size).toBeGreaterThan(1);
    const [head = '', body = ''] = Buffer.concat(chunks).toString('latin1').split('\r\n\r\n');
    expect(body === text.replace('"upstream-a"', '"a"')).toBe(true);
    expect(head.toLowerCase()).toContain(`\r\ncontent-length: ${body.length}`);
    expect(head.toLowerCase()).not.toContain('transfer-encoding');
    expect(await started.ended(1)).toMatchObject([{ llm_outcome: 'complete' }]);
  });
});

describe('a caller who stops reading a large plain answer', () => {
  it('is cut after 30 seconds, and everything is let go', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const { started, client, response } = await askWithoutReading();
    const res = await response;
    await stalled(res);
    const { socket } = res;
    // One look for what has gone out since the last one.
    vi.advanceTimersByTime(29_000);
    expect(socket?.destroyed).toBe(false);
    vi.advanceTimersByTime(9_000);
    expect(await started.ended(1)).toMatchObject([{ llm_outcome: 'cut' }]);
    expect(socket?.destroyed).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
    expect(started.router.status().in_flight).toBe(0);
    client.socket.resume();
    await client.closed();
  });

  it('and hangs up is noticed', async () => {
    const { started, client, response } = await askWithoutReading();
    await stalled(await response);
    client.socket.destroy();
    expect(await started.ended(1)).toMatchObject([{ llm_outcome: 'client_gone' }]);
    expect(started.router.status().in_flight).toBe(0);
  });
});
