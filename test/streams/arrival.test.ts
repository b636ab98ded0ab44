import compression from 'compression';
import { describe, expect, it } from 'vitest';
import { post } from '../support/app.ts';
import { connectRaw, rawPost } from '../support/raw.ts';
import { chatEvent, doneEvent, type Script } from '../support/upstream.ts';
import {
  ask,
  asking,
  notAsking,
  openStream,
  parseWire,
  signal,
  startStreaming,
  streamingProtocols,
} from './streaming.ts';

const COUNT = 10;

/** An upstream that sends the next event only when the client has said that it holds the one before. */
function inStep(makeEvent: (index: number) => string): {
  script: Script;
  received: (index: number) => void;
} {
  const receipts = Array.from({ length: COUNT }, () => signal());
  return {
    received: (index) => receipts[index]?.happen(),
    async script(_call, res) {
      openStream(res);
      for (let index = 0; index < COUNT; index++) {
        res.write(makeEvent(index));
        await receipts[index]?.happened;
      }
      res.end(doneEvent);
    },
  };
}

describe('the events of a stream', () => {
  it.each(streamingProtocols)('are written as they arrive: $protocol', async ({ path, provider, event }) => {
    const { script, received } = inStep((index) => event.replace('Hi', `part-${index}.`));
    const { app, upstream } = await startStreaming(script);
    app.middleware.update({
      instances: [{ name: 'one', provider, weight: 1, auth: {}, override: { endpoint: upstream.url } }],
    });
    const client = await ask(app, asking, path);
    for (let index = 0; index < COUNT; index++) {
      await client.until(`part-${index}.`);
      received(index);
    }
    await client.until('0\r\n\r\n');
    expect(parseWire(client.received).isTerminated).toBe(true);
  });

  it('are written as they arrive to a client from whom usage is withheld', async () => {
    const { script, received } = inStep((index) => chatEvent(`part-${index}.`));
    const { app } = await startStreaming(script);
    const client = await ask(app, notAsking);
    for (let index = 0; index < COUNT; index++) {
      await client.until(`part-${index}.`);
      received(index);
    }
    expect(parseWire(await client.until('0\r\n\r\n')).body).toContain(doneEvent);
  });

  it('are passed on in pieces to a client that asked for usage', async () => {
    const { script, received } = inStep((index) => `: piece-${index}${index % 2 === 0 ? '' : '\n\n'}`);
    const { app } = await startStreaming((call, res, req) => {
      openStream(res);
      res.write(chatEvent('first'));
      return script(call, Object.assign(res, { writeHead: () => res }), req);
    });
    const client = await ask(app);
    for (let index = 0; index < COUNT; index++) {
      await client.until(`piece-${index}`);
      received(index);
    }
    await client.until('0\r\n\r\n');
  });

  it('come one by one through compression middleware in front', async () => {
    const { script, received } = inStep((index) => chatEvent(`part-${index}.`));
    const { app } = await startStreaming(script, {}, { before: (server) => server.use(compression()) });
    const client = await ask(app, asking, '/v1/chat/completions', ['Accept-Encoding: gzip']);
    for (let index = 0; index < COUNT; index++) {
      await client.until(`part-${index}.`);
      received(index);
    }
    await client.until('0\r\n\r\n');
  });

  it('come one by one even where compression middleware does compress them', async () => {
    const { script, received } = inStep((index) => chatEvent(`part-${index}.`));
    const { app } = await startStreaming(
      (call, res, req) => {
        openStream(res, { 'cache-control': 'no-cache' });
        return script(call, Object.assign(res, { writeHead: () => res }), req);
      },
      {},
      { before: (server) => server.use(compression({ threshold: 0, filter: () => true })) },
    );
    const response = await post(`${app.url}/v1/chat/completions`, asking);
    expect(response.headers.get('content-encoding')).not.toBeNull();
    let text = '';
    let index = 0;
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk, { stream: true });
      while (index < COUNT && text.includes(`part-${index}.`)) received(index++);
    }
    expect(text.endsWith(doneEvent)).toBe(true);
  });

  it('are flushed after each write where something in front holds bytes back', async () => {
    let flushes = 0;
    const { script, received } = inStep((index) => chatEvent(`part-${index}.`));
    const { app } = await startStreaming(
      script,
      {},
      {
        before: (server) =>
          server.use((_req, res, next) => {
            Object.assign(res, { flush: () => flushes++ });
            next();
          }),
      },
    );
    const client = await ask(app);
    for (let index = 0; index < COUNT; index++) {
      await client.until(`part-${index}.`);
      expect(flushes).toBe(index + 1);
      received(index);
    }
    await client.until('0\r\n\r\n');
  });
});

describe('the head of a stream', () => {
  it('tells what lies between gateway and client to let events through', async () => {
    const { app } = await startStreaming((_call, res) => {
      openStream(res);
      res.end(doneEvent);
    });
    const { headers } = await post(`${app.url}/v1/chat/completions`, asking);
    expect([headers.get('x-accel-buffering'), headers.get('cache-control')]).toEqual([
      'no',
      'no-cache, no-transform',
    ]);
  });

  it('leaves what the upstream said of it', async () => {
    const { app } = await startStreaming((_call, res) => {
      openStream(res, { 'x-accel-buffering': 'yes', 'cache-control': 'private' });
      res.end(doneEvent);
    });
    const { headers } = await post(`${app.url}/v1/chat/completions`, asking);
    expect([headers.get('x-accel-buffering'), headers.get('cache-control')]).toEqual(['yes', 'private']);
  });

  it('is not changed for a plain answer', async () => {
    const { app } = await startStreaming((_call, res) => {
      res.writeHead(200, { 'content-type': 'application/json' });
      res.end('{}');
    });
    const { headers } = await post(`${app.url}/v1/chat/completions`, asking);
    expect([headers.get('x-accel-buffering'), headers.get('cache-control')]).toEqual([null, null]);
  });
});

describe('an HTTP/1.0 client', () => {
  it('gets the events as they are, up to the end of the connection', async () => {
    const { app } = await startStreaming((_call, res) => {
      openStream(res);
      res.write(chatEvent('one'));
      setImmediate(() => res.end(doneEvent));
    });
    const client = await connectRaw(app.port);
    const body = JSON.stringify(asking);
    client.write(
      `POST /v1/chat/completions HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    const answer = parseWire(await client.closed());
    expect(answer.headers.has('transfer-encoding')).toBe(false);
    expect(answer.body).toBe(chatEvent('one') + doneEvent);
  });
});

describe('a keep-alive connection', () => {
  it('carries one stream after the other', async () => {
    const { app } = await startStreaming((_call, res) => {
      openStream(res);
      res.write(chatEvent('one'));
      setImmediate(() => setImmediate(() => res.end(doneEvent)));
    });
    const client = await ask(app);
    await client.until(doneEvent);
    const first = client.received.length;
    client.write(rawPost('/v1/chat/completions', JSON.stringify(asking), ['Connection: close']));
    await client.closed();
    const second = client.received.slice(client.received.indexOf('HTTP/1.1 200', first));
    expect(parseWire(second).body).toBe(chatEvent('one') + doneEvent);
    expect(await app.ended(2)).toMatchObject([{ llm_outcome: 'complete' }, { llm_outcome: 'complete' }]);
  });
});
