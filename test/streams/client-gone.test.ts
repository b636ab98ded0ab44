import net, { type AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type App, instance, startApp } from '../support/app.ts';
import { connectRaw, rawPost } from '../support/raw.ts';
import { answerJson, chatEvent, startUpstream } from '../support/upstream.ts';
import {
  ask,
  asking,
  openStream,
  type Signal,
  signal,
  socketClosed,
  startStreaming,
  streamingProtocols,
} from './streaming.ts';

async function expectGone(app: App): Promise<void> {
  expect(await app.ended(1)).toMatchObject([{ llm_outcome: 'client_gone' }]);
  expect(app.middleware.status()).toMatchObject({ in_flight: 0, instances: [{ in_flight: 0 }] });
}

/** An upstream that takes a connection and reads nothing from it until it is told to. */
async function startDeaf(connected: Signal<net.Socket>): Promise<{ url: string }> {
  const server = net.createServer((socket) => {
    socket.pause();
    socket.on('error', () => {});
    onTestFinished(() => {
      socket.destroy();
    });
    connected.happen(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

describe.each(streamingProtocols)('a client that hangs up, in $protocol,', ({ path, provider, event }) => {
  const phases = {
    'while the head is waited for': {},
    'while the first byte is waited for': { opens: true },
    'while the first event is held back': { opens: true, sends: event.slice(0, -1) },
    'in mid-stream': { opens: true, sends: event, sees: true },
  } satisfies Record<string, { opens?: boolean; sends?: string; sees?: boolean }>;

  it.each(Object.entries(phases))('%s closes the connection to the LLM', async (_, phase) => {
    const { opens = false, sends, sees = false }: { opens?: boolean; sends?: string; sees?: boolean } = phase;
    const arrived = signal<net.Socket>();
    const upstream = await startUpstream(async ({ socket }, res) => {
      if (opens) openStream(res);
      if (opens) res.flushHeaders();
      if (sends !== undefined) res.write(sends);
      arrived.happen(socket);
    });
    const app = await startApp({ instances: [instance('one', upstream.url, { provider })] });
    const client = await ask(app, asking, path);
    const socket = await arrived.happened;
    if (sees) await client.until(event.slice(-20, -2));
    client.socket.destroy();
    await socketClosed(socket);
    await expectGone(app);
  });
});

describe('a client that hangs up', () => {
  it('while its own body is still coming is not sent on at all', async () => {
    const { app, upstream } = await startStreaming((_call, res) => answerJson(res, 200, {}));
    const request = signal();
    app.server.on('request', () => request.happen());
    const client = await connectRaw(app.port);
    client.write(rawPost('/v1/chat/completions', JSON.stringify(asking)).slice(0, -5));
    await request.happened;
    client.socket.destroy();
    await expectGone(app);
    expect(upstream.connections).toBe(0);
  });

  it('while its body is sent to the LLM closes that connection', async () => {
    const connected = signal<net.Socket>();
    const deaf = await startDeaf(connected);
    const app = await startApp({ instances: [instance('one', deaf.url)] });
    const content = 'x'.repeat(30_000_000);
    const client = await ask(app, { messages: [{ role: 'user', content }] });
    const socket = await connected.happened;
    client.socket.destroy();
    await expectGone(app);
    let bytes = 0;
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    socket.resume();
    await socketClosed(socket);
    expect(bytes).toBeLessThan(content.length);
  });

  it('between two attempts is tried on no further instance', async () => {
    const failing = await startUpstream((_call, res) => answerJson(res, 500, {}));
    const second = await startUpstream((_call, res) => answerJson(res, 200, {}));
    const asked = signal();
    const secret = signal<string>();
    const app = await startApp(
      {
        fallback_strategy: ['http_5xx'],
        instances: [
          instance('one', failing.url, { priority: 1 }),
          instance('two', second.url, { auth: { header: { 'x-key': '$secret://vault/key' } } }),
        ],
      },
      {
        host: {
          secret: () => {
            asked.happen();
            return secret.happened;
          },
        },
      },
    );
    const client = await ask(app);
    await asked.happened;
    client.socket.destroy();
    expect(await app.ended(1)).toMatchObject([{ llm_outcome: 'client_gone' }]);
    secret.happen('found too late');
    await app.middleware.close();
    expect(second.connections).toBe(0);
    expect(app.middleware.status().instances.map((status) => status.in_flight)).toEqual([0, 0]);
  });

  it('in the middle of a plain answer closes the connection to the LLM', async () => {
    const arrived = signal<net.Socket>();
    const { app } = await startStreaming(({ socket }, res) => {
      res.writeHead(200, { 'content-type': 'application/json' });
      res.write('{"half":');
      arrived.happen(socket);
    });
    const client = await ask(app);
    await client.until('half');
    client.socket.destroy();
    await socketClosed(await arrived.happened);
    await expectGone(app);
  });

  it('with a reset closes the connection to the LLM', async () => {
    const arrived = signal<net.Socket>();
    const { app } = await startStreaming(({ socket }, res) => {
      openStream(res);
      res.write(chatEvent('Hi'));
      arrived.happen(socket);
    });
    const client = await ask(app);
    await client.until('Hi');
    client.socket.resetAndDestroy();
    await socketClosed(await arrived.happened);
    await expectGone(app);
  });

  it('is charged what had been reported until then', async () => {
    const usage = { prompt_tokens: 7, completion_tokens: 1, total_tokens: 8 };
    const { app } = await startStreaming((_call, res) => {
      openStream(res);
      res.write(chatEvent('Hi', { usage }));
    });
    const client = await ask(app);
    await client.until('Hi');
    client.socket.destroy();
    expect(await app.ended(1)).toMatchObject([{ llm_outcome: 'client_gone', llm_total_tokens: 8 }]);
  });
});
