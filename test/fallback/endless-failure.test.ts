// A failed answer is read on only for the log's and its socket's sake: neither is worth waiting for without end.

import { describe, expect, it } from 'vitest';
import { type App, instance, post, startApp } from '../support/app.ts';
import { type RawScript, type RawUpstream, startRawUpstream } from '../support/broken-upstreams.ts';
import { echoModel, startUpstream } from '../support/upstream.ts';

async function startFailing(script: RawScript): Promise<{ app: App; bad: RawUpstream }> {
  const [bad, good] = [await startRawUpstream(script), await startUpstream(echoModel())];
  const app = await startApp({
    fallback_strategy: ['http_429'],
    instances: [instance('bad', bad.url, { priority: 1 }), instance('good', good.url)],
  });
  return { app, bad };
}

function bodiesIn(app: App): unknown[] {
  return app.logs.flatMap(({ data }) => ('body' in data ? [data.body] : []));
}

/** An answer of which a little comes now and then, for ever. */
const trickle =
  (type: string, first: string, more: string): RawScript =>
  (socket) => {
    socket.write(`HTTP/1.1 429 Busy\r\nContent-Type: ${type}\r\n\r\n${first}`);
    const timer = setInterval(() => socket.write(more), 50);
    socket.on('close', () => clearInterval(timer));
  };

describe('a failed answer without end', () => {
  it.each([
    { kind: 'an event stream', type: 'text/event-stream', first: ': busy\n\n' },
    { kind: 'an event stream that is silent at first', type: 'text/event-stream', first: '' },
    { kind: 'a plain one', type: 'text/plain', first: 'busy' },
  ])('is logged, and its connection closed: $kind', async ({ type, first }) => {
    const { app, bad } = await startFailing(trickle(type, first, ': busy\n\n'));
    expect((await post(app.url)).status).toBe(200);
    await bad.deserted();
    expect(bodiesIn(app)).toEqual([expect.stringContaining('busy')]);
    expect(app.middleware.status().instances).toMatchObject([{ in_flight: 0 }, { in_flight: 0 }]);
  });

  it('is let go also where nothing of its body comes', async () => {
    const { app, bad } = await startFailing((socket) =>
      socket.write('HTTP/1.1 429 Busy\r\nContent-Type: text/event-stream\r\n\r\n'),
    );
    expect((await post(app.url)).status).toBe(200);
    await bad.deserted();
    expect(bodiesIn(app)).toEqual(['']);
  });
});

describe('a failed answer that ends a little later', () => {
  it('is logged whole, and leaves its socket usable', async () => {
    const { app, bad } = await startFailing((socket) => {
      socket.write('HTTP/1.1 429 Busy\r\nContent-Length: 12\r\n\r\nfirst ');
      setTimeout(() => socket.write('second'), 50);
    });
    for (let index = 1; index <= 2; index++) {
      expect((await post(app.url)).status).toBe(200);
      while (bodiesIn(app).length < index) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(bodiesIn(app)).toEqual(['first second', 'first second']);
    expect(bad.connections).toBe(1);
  });
});
