/** Streams that the upstream encodes although nobody has asked it to. */
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import zlib from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { othersHaveRead } from '../support/others-have-read.ts';
import { connectRaw, type RawClient, rawPost } from '../support/raw.ts';
import {
  chatEvent,
  doneEvent,
  echoModel,
  type Script,
  startUpstream,
  usageEvent,
} from '../support/upstream.ts';
import {
  aliasOf,
  chat,
  errorIn,
  keyFor,
  modelFor,
  type StartedRouter,
  startRouter,
} from './started-router.ts';

const MIB = 1024 * 1024;

type Encoder = zlib.Gzip | zlib.Deflate | zlib.BrotliCompress;

const encodings: readonly (readonly [name: string, make: () => Encoder])[] = [
  ['gzip', () => zlib.createGzip()],
  ['x-gzip', () => zlib.createGzip()],
  ['GZIP', () => zlib.createGzip()],
  ['deflate', () => zlib.createDeflate()],
  ['br', () => zlib.createBrotliCompress()],
];

/** Writes a part of the stream, and resolves when the client could read it. */
type Write = (text: string) => Promise<void>;

/** An upstream whose streams are encoded, whatever it was asked for. */
function encoding(
  name: string,
  make: () => Encoder,
  write: (write: Write, encoder: Encoder) => Promise<unknown>,
): Script {
  return async (_call, res) => {
    const headers = { 'content-type': 'text/event-stream', 'content-encoding': name, etag: '"1"' };
    res.writeHead(200, headers);
    const encoder = make();
    encoder.pipe(res);
    encoder.on('close', () => {
      if (!encoder.readableEnded) res.destroy();
    });
    await write(async (text) => {
      encoder.write(text);
      await new Promise<void>((resolve) => encoder.flush(resolve));
    }, encoder);
  };
}

function gzipped(write: (write: Write, encoder: Encoder) => Promise<unknown>): Script {
  return encoding('gzip', () => zlib.createGzip(), write);
}

const streamed = { stream: true, stream_options: { include_usage: true } };

/** An alias of two targets, of which the second answers well. */
async function startPair(script: Script): Promise<StartedRouter> {
  const [first, second] = [await startUpstream(script), await startUpstream(echoModel())];
  return startRouter({
    provider_keys: [keyFor('first', first.url), keyFor('second', second.url)],
    models: [modelFor('first'), modelFor('second'), aliasOf('chat', ['first', 'second'])],
  });
}

/** A client that has asked for a stream. */
async function askRaw({ port }: StartedRouter): Promise<RawClient> {
  const client = await connectRaw(port);
  const body = { model: 'chat', messages: [{ role: 'user', content: 'Hi' }], stream: true };
  client.write(rawPost('/v1/chat/completions', JSON.stringify(body)));
  return client;
}

function servedBy({ headers }: Response): string | null {
  return headers.get('x-aisix-served-by');
}

describe('a stream that is encoded although nobody has asked for it', () => {
  const sent = chatEvent('Hel') + chatEvent('lo') + usageEvent + doneEvent;

  it.each(encodings)('as %s is decoded, renamed and counted', async (name, make) => {
    const started = await startPair(
      encoding(name, make, async (write, encoder) => {
        for (const event of sent.split(/(?<=\n\n)/)) await write(event);
        encoder.end();
      }),
    );
    const answer = await chat(started, 'chat', streamed);
    expect(await answer.text()).toBe(sent.replaceAll('"model":"m"', '"model":"chat"'));
    expect(['content-encoding', 'etag'].map((header) => answer.headers.get(header))).toEqual([null, null]);
    expect(servedBy(answer)).toBe('first');
    expect(started.finished[0]).toMatchObject({
      llm_outcome: 'complete',
      llm_prompt_tokens: 23,
      llm_completion_tokens: 8,
    });
  });

  it('has no usage chunk for a client that did not ask for one', async () => {
    const started = await startPair(
      gzipped(async (write, encoder) => {
        await write(sent);
        encoder.end();
      }),
    );
    expect(await (await chat(started, 'chat', { stream: true })).text()).not.toContain('"usage"');
    expect(started.finished[0]).toMatchObject({ llm_prompt_tokens: 23 });
  });

  it('reaches the client as it comes', async () => {
    let release = (): void => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const started = await startPair(
      gzipped(async (write, encoder) => {
        await write(chatEvent('Hel'));
        await released;
        await write(chatEvent('lo') + doneEvent);
        encoder.end();
      }),
    );
    const client = await askRaw(started);
    await client.until('Hel');
    release();
    await client.until('[DONE]');
  });

  it('is left for the next target when its first event is an error', async () => {
    const started = await startPair(
      gzipped(async (write, encoder) => {
        await write('data: {"error":{"message":"overloaded","type":"server_error","code":503}}\n\n');
        encoder.end();
      }),
    );
    const answer = await chat(started, 'chat', streamed);
    expect([answer.status, servedBy(answer)]).toEqual([200, 'second']);
    expect(started.finished[0]?.llm_attempts).toMatchObject([{ instance: 'first', status: 503 }, {}]);
  });

  it('is left for the next target when it cannot be decoded', async () => {
    const started = await startPair((_call, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' });
      res.end('this is not gzip');
    });
    expect(servedBy(await chat(started, 'chat', streamed))).toBe('second');
    expect(started.finished[0]?.llm_attempts).toMatchObject([{ instance: 'first' }, { instance: 'second' }]);
  });

  it('ends with an error and no [DONE] when what comes later cannot be decoded', async () => {
    const started = await startPair(async (_call, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' });
      const encoder = zlib.createGzip();
      encoder.on('data', (chunk) => res.write(chunk));
      encoder.write(chatEvent('Hel'));
      await new Promise<void>((resolve) => encoder.flush(resolve));
      await othersHaveRead();
      res.end(Buffer.alloc(1000, 0xff));
    });
    const client = await askRaw(started);
    const text = await client.closed();
    expect(text).toContain('"content":"Hel"');
    expect(text).toMatch(/event: error\ndata: \{"error":/);
    expect(text).not.toContain('[DONE]');
    expect((await started.ended(1))[0]).toMatchObject({ llm_outcome: 'cut' });
  });

  it('is cut where the connection breaks', async () => {
    const started = await startPair(
      gzipped(async (write, encoder) => {
        await write(chatEvent('Hel'));
        await othersHaveRead();
        encoder.destroy();
      }),
    );
    await expect((await chat(started, 'chat', streamed)).text()).rejects.toThrow();
  });

  it('is not decoded any further while the client does not read', async () => {
    // A megabyte takes a few bytes: all of it arrives at once.
    const bomb = zlib.gzipSync(`${chatEvent('Hi')}: ${' '.repeat(200 * MIB)}`);
    const started = await startPair((_call, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' }).end(bomb);
    });
    const before = process.memoryUsage().arrayBuffers;
    const client = await askRaw(started);
    client.socket.pause();
    // Until it has grown, and has grown no further for a while.
    for (let [last, looks] = [0, 0]; looks < 10; ) {
      await pause(20);
      const grown = process.memoryUsage().arrayBuffers - before;
      expect(grown).toBeLessThan(32 * MIB);
      looks = grown > 64 * 1024 && Math.abs(grown - last) < MIB / 4 ? looks + 1 : 0;
      last = grown;
    }
  });

  it('lets go of the upstream when the client hangs up', async () => {
    let closed: Promise<unknown> = Promise.resolve();
    const started = await startPair((call, res) => {
      closed = once(call.socket, 'close');
      return gzipped((write) => write(chatEvent('Hel')))(call, res, res.req);
    });
    const client = await askRaw(started);
    await client.until('Hel');
    client.socket.destroy();
    await closed;
    expect((await started.ended(1))[0]).toMatchObject({ llm_outcome: 'client_gone' });
  });

  it('in an encoding that is not known passes as it came', async () => {
    const started = await startPair((_call, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': 'unheard-of' });
      res.end('some bytes');
    });
    const answer = await chat(started, 'chat', streamed);
    expect([answer.headers.get('content-encoding'), await answer.text()]).toEqual([
      'unheard-of',
      'some bytes',
    ]);
  });
});

describe('an error whose events are encoded', () => {
  it('is told in its own words', async () => {
    const started = await startPair((_call, res) => {
      res.writeHead(400, { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' });
      res.end(zlib.gzipSync('data: {"error":{"message":"no such thing","code":"no_thing"}}\n\n'));
    });
    const answer = await chat(started, 'chat', streamed);
    expect([answer.status, await errorIn(answer)]).toMatchObject([400, { type: 'upstream_error' }]);
  });
});
