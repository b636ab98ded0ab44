import { describe, expect, it } from 'vitest';
import { startRawUpstream } from '../support/broken-upstreams.ts';
import { connectRaw, rawPost } from '../support/raw.ts';
import { chatEvent, doneEvent, echoModel, type Script, startUpstream } from '../support/upstream.ts';
import { aliasOf, chat, errorIn, keyFor, modelFor, startRouter } from './started-router.ts';

/** Short, but longer than those that are well take on a busy machine. */
const SHORT_MS = 700;

const openStream: Script = (_call, res) => res.writeHead(200, { 'content-type': 'text/event-stream' });

/** Writes something again and again until nobody listens any more. */
function drip(head: Script, what: string): Script {
  return (call, res, req) => {
    head(call, res, req);
    const timer = setInterval(() => res.write(what), 50);
    res.on('close', () => clearInterval(timer));
  };
}

const plainHead: Script = (_call, res) => res.writeHead(200, { 'content-type': 'application/json' });

async function startPair(
  script: Script,
  times: { timeout?: number; stream_timeout?: number },
  where: 'target' | 'alias' = 'target',
) {
  const [slow, well] = [
    await startUpstream(script),
    await startUpstream((call, res, req) =>
      call.body.includes('"stream":true')
        ? res.writeHead(200, { 'content-type': 'text/event-stream' }).end(chatEvent('well') + doneEvent)
        : echoModel()(call, res, req),
    ),
  ];
  const [ofTarget, ofAlias] = where === 'target' ? [times, {}] : [{}, times];
  const started = await startRouter({
    provider_keys: [keyFor('slow', slow.url), keyFor('well', well.url)],
    models: [
      modelFor('slow', { ...ofTarget, cooldown: { enabled: false } }),
      modelFor('well', { timeout: 30_000 }),
      aliasOf('alone', ['slow'], {}, ofAlias),
      aliasOf('chat', ['slow', 'well'], {}, ofAlias),
    ],
  });
  return { started, slow, well };
}

describe('a plain answer that does not come in time', () => {
  it.each<[string, Script]>([
    ['because nothing comes', () => {}],
    ['because only its head comes', (_call, res) => res.writeHead(200).flushHeaders()],
    ['because it drips, and is never silent', drip(plainHead, ' ')],
  ])('is left for the next target %s', async (_why, script) => {
    const { started, slow } = await startPair(script, { timeout: SHORT_MS });
    const answer = await chat(started, 'chat');
    expect([answer.status, answer.headers.get('x-aisix-served-by')]).toEqual([200, 'well']);
    const alone = await chat(started, 'alone');
    expect([alone.status, await errorIn(alone)]).toMatchObject([504, { type: 'timeout', code: 'timeout' }]);
    expect(started.router.status().instances[0]).toMatchObject({ in_flight: 0, failures: { timed_out: 2 } });
    expect(slow.calls).toHaveLength(2);
  });

  it('goes by the time of the alias where the target has none', async () => {
    const { started } = await startPair(() => {}, { timeout: SHORT_MS }, 'alias');
    expect((await chat(started, 'alone')).status).toBe(504);
  });

  it('goes by the time of the target where both have one: 0 is none', async () => {
    const llm = await startUpstream((call, res, req) => {
      setTimeout(() => echoModel()(call, res, req), 400);
    });
    const started = await startRouter({
      provider_keys: [keyFor('a', llm.url)],
      models: [modelFor('a', { timeout: 0 }), aliasOf('chat', ['a'], {}, { timeout: 100 })],
    });
    expect((await chat(started, 'chat')).status).toBe(200);
  });

  it('has its connection closed', async () => {
    const llm = await startRawUpstream(() => {});
    const started = await startRouter({
      provider_keys: [keyFor('a', llm.url)],
      models: [modelFor('a', { timeout: SHORT_MS })],
    });
    expect((await chat(started, 'a')).status).toBe(504);
    await llm.deserted();
  });
});

describe('a stream that falls silent', () => {
  it.each<[string, Script]>([
    ['before its head', () => {}],
    [
      'before its first chunk',
      (call, res, req) => {
        openStream(call, res, req);
        res.flushHeaders();
      },
    ],
  ])('%s is left for the next target', async (_when, script) => {
    const { started } = await startPair(script, { stream_timeout: SHORT_MS });
    const answer = await chat(started, 'chat', { stream: true });
    expect([answer.status, answer.headers.get('x-aisix-served-by')]).toEqual([200, 'well']);
    await answer.text();
    const alone = await chat(started, 'alone', { stream: true });
    expect([alone.status, await errorIn(alone)]).toMatchObject([504, { type: 'timeout' }]);
  });

  it('after its first chunk is cut, and no other target is asked', async () => {
    const { started, well } = await startPair(
      (call, res, req) => {
        openStream(call, res, req);
        res.write(chatEvent('Hi'));
      },
      { stream_timeout: SHORT_MS },
    );
    const client = await connectRaw(started.port);
    const body = { model: 'chat', stream: true, messages: [{ role: 'user', content: 'Hi' }] };
    client.write(rawPost('/v1/chat/completions', JSON.stringify(body)));
    const received = await client.closed();
    expect(received).toContain('"content":"Hi"');
    expect(received).toMatch(/event: error\ndata: \{"error":\{[^\n]*\}\}\n\n/);
    expect(received).not.toContain('[DONE]');
    expect(received).not.toMatch(/\r\n0\r\n/);
    expect(well.calls).toEqual([]);
    expect((await started.ended(1))[0]?.llm_outcome).toBe('cut');
  });

  it('goes by timeout where there is no stream_timeout', async () => {
    const { started } = await startPair(() => {}, { timeout: SHORT_MS });
    expect((await chat(started, 'alone', { stream: true })).status).toBe(504);
  });

  it('is none as long as something comes, however long it takes in all', async () => {
    let events = 0;
    const { started } = await startPair(
      (call, res, req) => {
        openStream(call, res, req);
        const timer = setInterval(() => {
          res.write(chatEvent(String(events++)));
          if (events < 40) return;
          clearInterval(timer);
          res.end(doneEvent);
        }, 50);
      },
      { stream_timeout: 1500 },
    );
    const answer = await chat(started, 'alone', { stream: true });
    expect(await answer.text()).toContain('[DONE]');
  });
});
