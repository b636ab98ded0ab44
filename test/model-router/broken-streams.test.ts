import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { othersHaveRead } from '../support/others-have-read.ts';
import { connectRaw, rawPost } from '../support/raw.ts';
import { chatEvent, doneEvent, echoModel, type Script, startUpstream } from '../support/upstream.ts';
import { alias, messages, shortStream, startRouter, type TargetConfig, target } from './router-app.ts';

async function startPair(script: Script, model: Partial<TargetConfig['model']> = {}) {
  const [first, second] = [await startUpstream(script), await startUpstream(echoModel())];
  const app = await startRouter({
    targets: [target('first', first, model), target('second', second)],
    aliases: [alias('chat', ['first', 'second'], { retries: 2 })],
  });
  return { app, first, second };
}

/** Begins a stream, and breaks it off in some way once its first text is out. */
function begin(end: (res: ServerResponse) => unknown): Script {
  return (_call, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.write(chatEvent('partial'), () => end(res));
  };
}

const usageOnly = `data: ${JSON.stringify({ choices: [], usage: { prompt_tokens: 1, completion_tokens: 1 } })}\n\n`;

describe('a stream that breaks before anything of it was passed on', () => {
  it('is a 502 like any other, without the headers of a success', async () => {
    const { app } = await startPair((_call, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      // Withheld from a caller who has not asked for it.
      res.write(usageOnly);
      othersHaveRead().then(() => res.destroy());
    });
    const answer = await app.ask('chat', { stream: true });
    expect(answer.status).toBe(502);
    expect(answer.json).toMatchObject({ error: { type: 'transport_error', code: 'transport_error' } });
    expect(answer.headers.get('x-aisix-served-by')).toBeNull();
    expect(answer.headers.get('x-aisix-call-id')).toBeNull();
  });
});

const inBand = `data: ${JSON.stringify({ error: { message: 'internal words', type: 'server_error' } })}\n\n`;

const breaks: readonly [string, Script][] = [
  ['a reset', begin((res) => othersHaveRead().then(() => res.socket?.resetAndDestroy()))],
  ['an end without an end', begin((res) => othersHaveRead().then(() => res.destroy()))],
  ['a silence', begin(() => {})],
  ['an error', begin((res) => void res.write(inBand))],
  ['an error, and then more', begin((res) => void res.end(inBand + chatEvent('more') + doneEvent))],
  [
    'half an event',
    begin((res) => {
      res.write('data: {"id":"x","mod');
      return othersHaveRead().then(() => res.destroy());
    }),
  ],
];

describe('a stream that has begun and breaks with', () => {
  it.each(breaks)(
    '%s ends with one error event, no [DONE], and a broken connection',
    async (_how, script) => {
      const { app, first, second } = await startPair(script, { stream_timeout: 600 });
      const client = await connectRaw(app.port);
      client.write(
        rawPost('/v1/chat/completions', JSON.stringify({ model: 'chat', stream: true, messages })),
      );
      const received = await client.closed();
      expect(received).toContain('partial');
      expect(received.match(/^event: error$/gm)).toHaveLength(1);
      const data = /event: error\ndata: (.*)\n\n/.exec(received)?.[1] ?? '';
      expect(JSON.parse(data)).toMatchObject({
        error: { message: expect.any(String), type: expect.any(String), code: 'upstream_stream_cut' },
      });
      expect(received).not.toContain('[DONE]');
      expect(received).not.toContain('internal words');
      expect(received).not.toContain('more');
      expect(received).not.toContain('"finish_reason":"stop"');
      // The chunk that would say the body is whole is missing.
      expect(received.endsWith('0\r\n\r\n')).toBe(false);
      expect(first.calls).toHaveLength(1);
      expect(second.calls).toEqual([]);
      expect(app.finished[0]).toMatchObject({ llm_outcome: 'cut' });
    },
  );

  it.each(breaks)(
    '%s makes the openai SDK throw an APIError, having seen the partial text',
    async (_how, script) => {
      const { app } = await startPair(script, { stream_timeout: 600 });
      const openai = new OpenAI({ baseURL: `${app.url}/v1`, apiKey: 'sk', maxRetries: 0 });
      const stream = await openai.chat.completions.create({ model: 'chat', stream: true, messages });
      let text = '';
      const read = async () => {
        for await (const chunk of stream) {
          expect(chunk.model).toBe('chat');
          text += chunk.choices[0]?.delta.content ?? '';
        }
      };
      await expect(read()).rejects.toBeInstanceOf(OpenAI.APIError);
      expect(text).toBe('partial');
    },
  );

  it('anything leaves later requests alone', async () => {
    const { app } = await startPair(
      begin((res) => void res.write(inBand)),
      { cooldown: { enabled: false } },
    );
    const client = await connectRaw(app.port);
    client.write(rawPost('/v1/chat/completions', JSON.stringify({ model: 'chat', stream: true, messages })));
    await client.closed();
    expect((await app.ask('second')).status).toBe(200);
  });
});

describe('a client that leaves', () => {
  it('in the middle of a stream ends it upstream', async () => {
    let closed: Promise<unknown> = Promise.resolve();
    const { app, second } = await startPair((call, res) => {
      closed = once(call.socket, 'close');
      begin(() => {})(call, res, res.req);
    });
    const client = await connectRaw(app.port);
    client.write(rawPost('/v1/chat/completions', JSON.stringify({ model: 'chat', stream: true, messages })));
    await client.until('partial');
    client.socket.destroy();
    await closed;
    await expect.poll(() => app.finished.length).toBe(1);
    expect(app.finished[0]).toMatchObject({ llm_outcome: 'client_gone' });
    expect(second.calls).toEqual([]);
    expect(app.state('first')).toMatchObject({ status: 'healthy' });
    expect(app.router.status().in_flight).toBe(0);
  });

  it('before the first byte ends it upstream, benches nobody, and no other target is asked', async () => {
    const { app, first, second } = await startPair(() => {});
    const client = await connectRaw(app.port);
    client.write(rawPost('/v1/chat/completions', JSON.stringify({ model: 'chat', messages })));
    await expect.poll(() => first.calls.length).toBe(1);
    client.socket.destroy();
    await expect.poll(() => first.sockets.size).toBe(0);
    expect(second.calls).toEqual([]);
    expect(app.state('first')).toMatchObject({ status: 'healthy' });
  });
});

describe('a target that was fine until a stream of it broke', () => {
  it('serves the next one as before', async () => {
    let count = 0;
    const broken = begin((res) => void res.destroy());
    const { app } = await startPair(
      (call, res, req) => (count++ === 0 ? broken : shortStream)(call, res, req),
      { cooldown: { enabled: false } },
    );
    const client = await connectRaw(app.port);
    client.write(rawPost('/v1/chat/completions', JSON.stringify({ model: 'chat', stream: true, messages })));
    await client.closed();
    expect((await app.ask('chat', { stream: true })).text).toContain('[DONE]');
  });
});
