import { describe, expect, it } from 'vitest';
import { connectRaw, rawPost } from '../support/raw.ts';
import { chatEvent, doneEvent, startUpstream } from '../support/upstream.ts';
import { aliasOf, chat, keyFor, modelFor, startRouter } from './started-router.ts';

const asking = JSON.stringify({ model: 'chat', stream: true, messages: [{ role: 'user', content: 'Hi' }] });
const errorEvent = 'data: {"error":{"message":"overloaded","type":"server_error"}}\n\n';

async function answerTo(...writes: readonly string[]): Promise<string> {
  const llm = await startUpstream((_call, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const text of writes) res.write(text);
    res.end();
  });
  const { port } = await startRouter({
    provider_keys: [keyFor('a', llm.url)],
    models: [modelFor('a'), aliasOf('chat', ['a'])],
  });
  const client = await connectRaw(port);
  client.write(rawPost('/v1/chat/completions', asking));
  return client.closed();
}

describe('an error in a stream that has begun', () => {
  it.each([
    ['in a write of its own', [chatEvent('Hi'), errorEvent, doneEvent]],
    ['in one write with what was before it', [chatEvent('Hi') + errorEvent]],
    ['without the blank line that would end it', [chatEvent('Hi') + errorEvent.trimEnd()]],
  ])('ends it as one that is not whole, %s', async (_how, writes) => {
    const answer = await answerTo(...writes);
    expect(answer).toContain('"content":"Hi"');
    expect(answer.match(/event: error/g)).toHaveLength(1);
    expect(answer).not.toContain('[DONE]');
    // The chunk that would complete the body.
    expect(answer).not.toMatch(/\r\n0\r\n/);
    expect(answer.toLowerCase()).not.toContain('content-length');
  });
});

describe('a stream that is no answer', () => {
  async function servedWhenFirst(...writes: readonly string[]) {
    const first = await startUpstream((_call, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const text of writes) res.write(text);
      res.end();
    });
    const second = await startUpstream((_call, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' }).end(chatEvent('Hi') + doneEvent);
    });
    const started = await startRouter({
      provider_keys: [keyFor('a', first.url), keyFor('b', second.url)],
      models: [modelFor('a'), modelFor('b'), aliasOf('chat', ['a', 'b'])],
    });
    const answer = await chat(started, 'chat', { stream: true });
    await answer.text();
    const [{ llm_attempts } = {}] = await started.ended(1);
    return { servedBy: answer.headers.get('x-aisix-served-by'), attempts: llm_attempts };
  }

  it.each([
    ['an error', [errorEvent], { status: 500 }],
    ['an error without the blank line that would end it', [errorEvent.trimEnd()], { status: 500 }],
    ['nothing', [], { error: 'upstream_decode_error' }],
    ['comments', [': hi\n\n', ': hi\n\n'], { error: 'upstream_decode_error' }],
  ])('because all it says is %s is left for the next target', async (_what, writes, outcome) => {
    const { servedBy, attempts } = await servedWhenFirst(...writes);
    expect(servedBy).toBe('b');
    expect(attempts).toMatchObject([
      { instance: 'a', ...outcome },
      { instance: 'b', status: 200 },
    ]);
  });

  it('passes where its only event lacks the blank line', async () => {
    const { servedBy } = await servedWhenFirst(chatEvent('Hi').trimEnd());
    expect(servedBy).toBe('a');
  });
});
