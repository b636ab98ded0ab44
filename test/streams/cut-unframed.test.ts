// HTTP/1.0 knows no chunks: what says that an answer is whole is the end of its connection. A cut one must not end so.

import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { App } from '../support/app.ts';
import { connectRaw, type RawClient } from '../support/raw.ts';
import { chatEvent } from '../support/upstream.ts';
import { asking, openStream, startStreaming } from './streaming.ts';

async function askOld(app: App): Promise<{ client: RawClient; hadError: Promise<unknown> }> {
  const client = await connectRaw(app.port);
  const hadError = new Promise((resolve) => client.socket.once('close', resolve));
  const body = JSON.stringify(asking);
  client.write(
    `POST /v1/chat/completions HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  return { client, hadError };
}

const die = (res: ServerResponse) => (): unknown => res.socket?.destroy();

describe('an answer to an HTTP/1.0 client', () => {
  it('that is cut in mid-stream ends with an error event and a reset', async () => {
    const { app } = await startStreaming((_call, res) => {
      openStream(res);
      res.write(chatEvent('Hi'), die(res));
    });
    const { client, hadError } = await askOld(app);
    expect(await hadError).toBe(true);
    expect(client.received).toContain('Hi');
    expect(client.received).toMatch(/upstream_stream_cut.*\n\n$/);
    expect(await app.ended(1)).toMatchObject([{ llm_outcome: 'cut' }]);
  });

  it('that breaks off in a plain body ends with a reset', async () => {
    const { app } = await startStreaming((_call, res) => {
      res.writeHead(200, { 'content-type': 'application/json' });
      res.write('{"choices":', die(res));
    });
    const { hadError } = await askOld(app);
    expect(await hadError).toBe(true);
    expect(await app.ended(1)).toMatchObject([{ llm_outcome: 'cut' }]);
  });

  it('that is complete ends in peace', async () => {
    const { app } = await startStreaming((_call, res) => {
      openStream(res);
      res.end(chatEvent('Hi'));
    });
    const { client, hadError } = await askOld(app);
    expect(await hadError).toBe(false);
    expect(client.received.endsWith(chatEvent('Hi'))).toBe(true);
  });
});
