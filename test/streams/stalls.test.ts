import { describe, expect, it } from 'vitest';
import { connectRaw, rawPost } from '../support/raw.ts';
import { ask, asking, openStream, startStreaming } from './streaming.ts';

const PATH = '/v1/chat/completions';

/** Far more than all the buffers of the operating system between the two ends hold. */
const TOTAL = 32 * 1024 * 1024;

const PIECE = Buffer.from(`data: ${'x'.repeat(64 * 1024 - 8)}\n\n`);

/** An LLM whose streams are longer than anybody buffers. */
function startPouring(timeout: number, hostTimeout = 0) {
  return startStreaming(
    async (_call, res) => {
      // Of an event stream, the host's time-out is lifted from its start.
      openStream(res, hostTimeout > 0 ? { 'content-type': 'text/plain' } : {});
      let wake = (): void => {};
      for (const event of ['drain', 'close']) res.on(event, () => wake());
      for (let sent = 0; sent < TOTAL && !res.destroyed; sent += PIECE.length) {
        if (!res.write(PIECE))
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
      res.end();
    },
    { timeout },
    {
      before: (server) =>
        server.use((req, _res, next) => {
          if (hostTimeout > 0) req.socket.setTimeout(hostTimeout);
          next();
        }),
    },
  );
}

describe('a client that does not read', () => {
  it('is cut though it goes on sending', async () => {
    const { app } = await startPouring(400);
    const client = await ask(app, asking);
    client.socket.pause();
    const sending = setInterval(() => client.write('\r\n'), 50);
    try {
      expect(await app.ended(1)).toMatchObject([{ llm_outcome: 'cut' }]);
    } finally {
      clearInterval(sending);
    }
  });

  it('is cut where its request waited behind another one', async () => {
    const { app } = await startPouring(400);
    const client = await connectRaw(app.port);
    client.socket.pause();
    const post = rawPost(PATH, JSON.stringify(asking));
    client.write(post + post);
    // The end of the connection is the end of the second, whose own bytes were waiting for the first.
    const outcomes = (await app.ended(2)).map((variables) => variables.llm_outcome);
    expect(outcomes).toEqual(['cut', 'client_gone']);
  });
});

describe('a client that waits for an earlier answer on its connection', () => {
  it('is not cut, however long that one takes', async () => {
    let finishFirst = (): void => {};
    let calls = 0;
    const { app } = await startStreaming(
      (_call, res) => {
        res.writeHead(200, { 'content-type': 'text/plain' });
        calls++;
        if (calls > 1) {
          res.end(Buffer.alloc(1024 * 1024, 'x'));
          return;
        }
        // Something now and then, lest the LLM be taken for dead.
        const alive = setInterval(() => res.write('.'), 20);
        res.on('close', () => clearInterval(alive));
        finishFirst = () => {
          clearInterval(alive);
          res.end('first');
        };
      },
      { timeout: 800 },
    );
    const client = await connectRaw(app.port);
    client.write(rawPost(PATH, JSON.stringify({ messages: [] })));
    await client.until('.');
    client.write(rawPost(PATH, JSON.stringify({ messages: [] }), ['Connection: close']));
    await new Promise((resolve) => setTimeout(resolve, 1800));
    finishFirst();
    expect((await client.closed()).endsWith('0\r\n\r\n')).toBe(true);
    expect(await app.ended(2)).toMatchObject([{ llm_outcome: 'complete' }, { llm_outcome: 'complete' }]);
  });
});

describe("the host server's time-out", () => {
  it('does not cut a client that pauses in a plain answer', async () => {
    const { app } = await startPouring(20_000, 1000);
    let timeouts = 0;
    app.server.on('timeout', () => timeouts++);
    const client = await ask(app, { ...asking, stream: false }, PATH, ['Connection: close']);
    client.socket.pause();
    await new Promise((resolve) => setTimeout(resolve, 2500));
    client.socket.resume();
    expect((await client.closed()).endsWith('0\r\n\r\n')).toBe(true);
    expect(timeouts).toBe(0);
  });
});
